// Reads the item lines of small ingestions from their log entries.
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { operationsPerSlot, slotOf } from '@likeness/shared/contract/operation'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { isAppError } from '@likeness/shared/errors'
import { readSlot, type WorkSource } from './read-log.ts'

const slotsAtOnce = 16

/**
 * Returns lines by the revision of their ingestion. Those whose log entry is damaged or missing are
 * left out.
 */
export async function readInlineLines(
  source: WorkSource,
  revisions: readonly number[]
): Promise<Map<number, ItemListLine[]>> {
  const read = async (slot: number) => {
    try {
      return { slot, log: await readSlot(source, slot) }
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      return { slot, log: undefined }
    }
  }
  const wanted = new Map<number, number[]>()
  for (const revision of revisions) {
    const slot = slotOf(revision)
    const ofSlot = wanted.get(slot)
    if (ofSlot === undefined) wanted.set(slot, [revision])
    else ofSlot.push(revision)
  }
  const lines = new Map<number, ItemListLine[]>()
  for await (const { slot, log } of mapInOrder([...wanted.keys()], slotsAtOnce, read)) {
    for (const revision of wanted.get(slot)!) {
      const operation = log?.operations[revision % operationsPerSlot]
      if (operation?.kind === 'ingest' && operation.items !== undefined)
        lines.set(revision, operation.items)
    }
  }
  return lines
}
