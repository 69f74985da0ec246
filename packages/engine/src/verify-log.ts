// Whether what a collection can be made again from is there: log slots, and the lists and failures of its open ingestions.
import { decodeItemList } from '@likeness/shared/contract/item-list'
import { failedItemSchema } from '@likeness/shared/contract/job'
import type { CollectionKeys } from '@likeness/shared/keys'
import type { Inspection } from './inspection.ts'
import type { IngestionRecord } from './manifest.ts'
import { OrdinalRanges } from './ordinal-ranges.ts'

/** Slots are dense from 1, at least up to the applied one. */
export async function verifyLog(inspection: Inspection, keys: CollectionKeys, appliedSlot: number): Promise<void> {
  let next = 1
  for await (const { key, sizeBytes } of inspection.store.list(keys.logPrefix)) {
    inspection.saw(sizeBytes)
    for (; next < Number(key.slice(keys.logPrefix.length)); next++) inspection.problem('missing', keys.logSlot(next), 'a log slot below it exists, and above it too')
    inspection.expect(sizeBytes > 0, 'content', key, 'an empty log slot')
    next++
  }
  for (; next <= appliedSlot; next++) inspection.problem('missing', keys.logSlot(next), `log slots up to ${appliedSlot} are applied`)
}

export async function verifyIngestion(inspection: Inspection, keys: CollectionKeys, ingestion: string, record: IngestionRecord): Promise<void> {
  for (const key of record.failures) await verifyFailures(inspection, key)
  const done = await inspection.content(keys.itemListPrefix(ingestion), () => OrdinalRanges.parse(record.done))
  const { indexed, superseded, failed } = record
  if (done !== undefined) inspection.expect(done.count === indexed + superseded + failed, 'count', keys.itemListPrefix(ingestion), `${done.count} ordinals are done, counted are ${indexed} + ${superseded} + ${failed}`)
  if (record.completedSeq !== null) return
  for (let first = 0; first < record.total; first += record.partSize) await verifyPart(inspection, keys.itemListPart(ingestion, first), first, Math.min(record.partSize, record.total - first))
}

async function readObject(inspection: Inspection, key: string): Promise<Uint8Array | undefined> {
  const stored = await inspection.store.get(key)
  if (stored === undefined) inspection.problem('missing', key, 'not in the store')
  else inspection.saw(stored.body.byteLength)
  return stored?.body
}

async function verifyFailures(inspection: Inspection, key: string): Promise<void> {
  const body = await readObject(inspection, key)
  if (body === undefined) return
  await inspection.content(key, () => {
    const lines = Buffer.from(body).toString('utf8').split('\n')
    for (const line of lines.slice(0, -1)) failedItemSchema.parse(JSON.parse(line))
    inspection.expect(lines.length > 1 && lines.at(-1) === '', 'content', key, 'does not end with a whole line')
  })
}

async function verifyPart(inspection: Inspection, key: string, first: number, size: number): Promise<void> {
  const body = await readObject(inspection, key)
  if (body === undefined) return
  await inspection.content(key, () => {
    const lines = decodeItemList(body)
    inspection.expect(lines.length === size && lines.every(({ ordinal }, i) => ordinal === first + i), 'content', key, `is not the lines ${first} to ${first + size - 1}`)
  })
}
