// Verifies the objects from which a collection can be made again: log slots, item lists, vector
// batches. Verifies its job objects too.
import { decodeLines, decodeObject } from '@likeness/shared/contract/checked-object'
import { decodeItemList } from '@likeness/shared/contract/item-list'
import { failedItemSchema, jobResultSchema } from '@likeness/shared/contract/job'
import { type CollectionKeys, seqOfEndedJobs } from '@likeness/shared/contract/keys'
import { decodeLogSlot } from '@likeness/shared/contract/operation'
import { decodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { decodePage, type IngestionRecord } from '../state/job-record.ts'
import { decodeStateLines, type StateLine } from '../state/state-lines.ts'
import { StateContent } from '../state/read-state.ts'
import type { Manifest } from '../version/manifest.ts'
import { OrdinalRanges } from '../version/ordinal-ranges.ts'
import type { VerifyFiles } from './verify-files.ts'

/**
 * Verifies that slots are dense above the floor, at least up to the applied one. Those below are no
 * part of the log.
 */
export async function verifyLog(
  inspection: VerifyFiles,
  keys: CollectionKeys,
  { appliedSlot, history }: Pick<Manifest, 'appliedSlot' | 'history'>
): Promise<void> {
  const floor = history?.floor ?? 0
  let next = floor + 1
  const startAfter = keys.logSlot(floor)
  for await (const { key } of inspection.store.list(keys.logPrefix, { startAfter })) {
    for (; next < Number(key.slice(keys.logPrefix.length)); next++)
      inspection.problem(
        'missing',
        keys.logSlot(next),
        'a log slot below it exists, and above it too'
      )
    await verifyObject(inspection, key, decodeLogSlot)
    next++
  }
  for (; next <= appliedSlot; next++)
    inspection.problem('missing', keys.logSlot(next), `log slots up to ${appliedSlot} are applied`)
}

/**
 * Verifies item lists, batches, failures and results of all ingestions, including finished ones:
 * every existing object.
 */
export async function verifyIngestionObjects(
  inspection: VerifyFiles,
  keys: CollectionKeys
): Promise<void> {
  const decodeResult = (key: string, body: Uint8Array): unknown => {
    if (seqOfEndedJobs(key) !== undefined) return decodePage(key, body)
    return key.endsWith('.ndjson')
      ? decodeLines(failedItemSchema, key, body)
      : decodeObject(jobResultSchema, key, body)
  }
  for await (const { key } of inspection.store.list(keys.ingestionsPrefix))
    await verifyObject(inspection, key, decodeItemList)
  for (const prefix of [keys.batchesPrefix, keys.sharedBatchesPrefix])
    for await (const { key } of inspection.store.list(prefix))
      await verifyObject(inspection, key, (_, body) => decodeVectorBatch(body))
  for await (const { key } of inspection.store.list(keys.jobPrefix))
    await verifyObject(inspection, key, decodeResult)
}

/** Verifies an object. One that was listed and is gone by now was collected. */
async function verifyObject(
  inspection: VerifyFiles,
  key: string,
  decode: (key: string, body: Uint8Array) => unknown
): Promise<void> {
  await inspection.content(key, async () => {
    const stored = await inspection.store.get(key)
    if (stored === undefined) return
    inspection.saw(stored.body.byteLength)
    decode(key, stored.body)
  })
}

/** Verifies the lines of a version, the pages of jobs, and what the records of jobs name. */
export async function verifyState(
  inspection: VerifyFiles,
  keys: CollectionKeys,
  { state: { base, deltas, recent } }: Pick<Manifest, 'state'>
): Promise<void> {
  const content = new StateContent()
  for (const ref of [...base, ...deltas]) {
    const lines = await inspection.read(ref, (body) => decodeStateLines(ref.key, body))
    lines?.forEach((line: StateLine) => content.add(line))
  }
  for (const line of recent) content.add(line)
  for (const { file } of content.of('page').values())
    await inspection.read(file, (body) => decodePage(file.key, body))
  for (const record of content.of('job').values()) await verifyIngestion(inspection, keys, record)
}

async function verifyIngestion(
  inspection: VerifyFiles,
  keys: CollectionKeys,
  record: IngestionRecord
): Promise<void> {
  const { ingestion } = record
  for (const key of record.failures) {
    const stored = await inspection.content(
      key,
      async () => (await inspection.store.head(key)) !== undefined
    )
    if (stored === false) inspection.problem('missing', key, 'not in the store')
  }
  const done = await inspection.content(keys.itemListPrefix(ingestion), () =>
    OrdinalRanges.parse(record.done)
  )
  const { indexed, superseded, failed } = record
  if (done !== undefined)
    inspection.expect(
      done.count === indexed + superseded + failed,
      'count',
      keys.itemListPrefix(ingestion),
      `${done.count} ordinals are done, counted are ${indexed} + ${superseded} + ${failed}`
    )
  if (record.completedSeq !== null || record.lineBytes !== undefined) return
  for (let first = 0; first < record.total; first += record.partSize)
    await verifyPart(
      inspection,
      keys.itemListPart(ingestion, first),
      first,
      Math.min(record.partSize, record.total - first)
    )
}

/** Verifies a part of an item list. A damaged part is already reported with the other objects. */
async function verifyPart(
  inspection: VerifyFiles,
  key: string,
  first: number,
  size: number
): Promise<void> {
  if (inspection.problems.some((problem) => problem.key === key)) return
  await inspection.content(key, async () => {
    const stored = await inspection.store.get(key)
    if (stored === undefined) return inspection.problem('missing', key, 'not in the store')
    const lines = decodeItemList(key, stored.body)
    inspection.expect(
      lines.length === size && lines.every(({ ordinal }, i) => ordinal === first + i),
      'content',
      key,
      `is not the lines ${first} to ${first + size - 1}`
    )
  })
}
