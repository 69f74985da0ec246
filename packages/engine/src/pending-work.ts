// Reads what a commit can take in: the next log slots and vector batches that still have something to say.
import type { Clock } from '@likeness/shared/clock'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { decodeLogSlot } from '@likeness/shared/contract/operation'
import type { LogSlot } from '@likeness/shared/contract/operation'
import { countRows, decodeVectorBatch, peekBatchItems } from '@likeness/shared/contract/vector-batch'
import type { VectorBatch } from '@likeness/shared/contract/vector-batch'
import { modelOf } from '@likeness/shared/contract/profile'
import { isSparse } from '@likeness/shared/contract/vector-rows'
import { appError, isAppError } from '@likeness/shared/errors'
import { parseBatchKey } from '@likeness/shared/keys'
import type { CollectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { untilStored } from './store-retry.ts'
import { isOpen } from './writer-state.ts'
import type { OpenIngestion, WriterState } from './writer-state.ts'

const slotsAhead = 16
const peekBytes = 256 * 1024

export interface WorkSource {
  store: ObjectStore
  clock: Clock
  keys: CollectionKeys
  signal?: AbortSignal
}

/** Up to `limit` slots after `applied`, in order. Slots are dense: the first missing one is the end. data_corrupt when one is damaged. */
export async function readSlots({ store, clock, keys, signal }: WorkSource, applied: number, limit: number): Promise<LogSlot[]> {
  const slots: LogSlot[] = []
  while (slots.length < limit) {
    const first = applied + slots.length + 1
    // One first: an idle collection asks for one key, not for sixteen.
    const ahead = slots.length === 0 ? 1 : Math.min(slotsAhead, limit - slots.length)
    const read = await Promise.all(Array.from({ length: ahead }, (_, i) => untilStored(clock, () => store.get(keys.logSlot(first + i)), signal)))
    for (const stored of read) {
      if (stored === undefined) return slots
      slots.push(decodeLogSlot(keys.logSlot(applied + slots.length + 1), stored.body))
    }
  }
  return slots
}

export const missingSlot = ({ keys }: WorkSource, slot: number) => appError('object_not_found', `${keys.logSlot(slot)} is missing from the log`)

/** A slot is made only when the one below it exists: object_not_found when the next one is not there and a later one is. */
export async function assertNoGap({ store, keys }: WorkSource, applied: number): Promise<void> {
  for await (const { key } of store.list(keys.logPrefix, { startAfter: keys.logSlot(applied) })) {
    const next = keys.logSlot(applied + 1)
    if (key !== next) throw appError('object_not_found', `${next} is missing from the log, and ${key} is there`)
    return
  }
}

/** Keys of batches of open ingestions that hold an ordinal which is not done. Given ones are listed by given-batches.ts. */
export async function listBatches(source: WorkSource, state: WriterState, seen: ReadonlySet<string>): Promise<string[]> {
  const wanted: string[] = []
  for (const [id, ingestion] of state.ingestions) {
    if (isOpen(ingestion) && ingestion.record.given !== true) wanted.push(...(await listOpenBatches(source, id, ingestion, seen)))
  }
  return wanted
}

/** Keys of the batches of one ingestion that hold an ordinal which is not done. */
export async function listOpenBatches({ store, clock, keys, signal }: WorkSource, id: string, { done }: OpenIngestion, seen: ReadonlySet<string>): Promise<string[]> {
  const listed = await untilStored(clock, async () => {
    const found: string[] = []
    for await (const { key } of store.list(keys.batchPrefix(id))) if (!seen.has(key)) found.push(key)
    return found
  }, signal)
  if (done.count === 0) return listed
  const wanted: string[] = []
  for (const key of listed) {
    const ordinals = await untilStored(clock, () => peekOrdinals(store, key), signal)
    if (ordinals === undefined || ordinals.some((ordinal) => !done.has(ordinal))) wanted.push(key)
  }
  return wanted
}

/** undefined when it is damaged or has a long head: it is to be read whole. */
async function peekOrdinals(store: ObjectStore, key: string): Promise<number[] | undefined> {
  try {
    const head = await store.getRange(key, 0, peekBytes)
    return head === undefined ? [] : peekBatchItems(head)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}

/** As it was written, maybe for an earlier embedding (embedded-batch.ts); undefined when it is not there (collected, or of another incarnation). Refuses other models and malformed content with data_corrupt. */
export async function readBatch({ store, clock, keys, signal }: WorkSource, { incarnation, embedding }: Pick<CollectionSpec, 'incarnation' | 'embedding'>, key: string): Promise<VectorBatch | undefined> {
  const name = parseBatchKey(key)
  if (name === undefined || !key.startsWith(keys.root)) return undefined
  const stored = await untilStored(clock, () => store.get(key), signal)
  if (stored === undefined) return undefined
  const batch = decodeVectorBatch(stored.body)
  const { header, vectors } = batch
  const { version, dim, sparse = false } = embedding
  if (header.incarnation !== incarnation) throw appError('data_corrupt', `${key} belongs to collection ${header.incarnation}`)
  if (header.ingestion !== name.ingestion) throw appError('data_corrupt', `${key} holds ingestion ${header.ingestion}`)
  const isOfCollection = header.embeddingVersion === version ? header.dim === dim : modelOf(header.embeddingVersion) === modelOf(version)
  if (!isOfCollection) throw appError('data_corrupt', `${key} has embedding ${header.embeddingVersion} (${header.dim}), the collection ${version} (${dim})`)
  if (header.items.some((item) => (item.failure === undefined) !== (item.rows.length > 0))) throw appError('data_corrupt', `${key} has an item with neither rows nor a failure`)
  if (isSparse(vectors) !== sparse) throw appError('data_corrupt', `${key} has ${sparse ? 'dense' : 'sparse'} vectors, the collection has ${sparse ? 'sparse' : 'dense'} ones`)
  if (!(isSparse(vectors) ? vectors.values : vectors).every(Number.isFinite)) throw appError('data_corrupt', `${key} has a value that is not a number among ${countRows(header.items)} rows`)
  return batch
}
