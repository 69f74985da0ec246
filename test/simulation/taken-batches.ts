// What a listing of a writer must have found: after it no stored shared batch is left out whose log
// slots are applied.
import type { CollectionWriter } from '@likeness/engine/testing/internals'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { newestSlot } from '@likeness/shared/contract/shared-batch'
import { isShared, partsOf, peekBatchHeader } from '@likeness/shared/contract/vector-batch'
import { Violation } from './violation.ts'
import type { World } from './world.ts'

const mostBatches = 10_000

/** Batches that are stored now. */
export const storedShared = ({ table }: World, collectionId: string): string[] =>
  table.page(collectionKeys(collectionId).sharedBatchesPrefix, '', mostBatches)

/** Call this after a listing that began after `stored` were there, and has ended. */
export function checkTaken(
  { table }: World,
  writer: CollectionWriter,
  stored: readonly string[]
): void {
  const open = new Map([...writer.openAfter(0)].map((one) => [one.ingestion, one.open]))
  for (const key of stored) {
    const body = table.get(key)?.body
    const header = body && peekBatchHeader(body)
    if (header === undefined || !isShared(header) || newestSlot(header) > writer.appliedSlot)
      continue
    const left = partsOf(header).find(({ ingestion, items }) =>
      items.some(({ ordinal }) => open.get(ingestion)?.done.has(ordinal) === false)
    )
    if (left !== undefined)
      throw new Violation('progress', `${key} has items of ${left.ingestion} that are not taken`)
  }
}
