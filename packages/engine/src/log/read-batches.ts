import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { isSharedBatchKey, parseBatchKey } from '@likeness/shared/contract/keys'
import { modelOf } from '@likeness/shared/contract/profile'
import {
  countRows,
  decodeVectorBatch,
  isShared,
  peekBatchHeader,
  type VectorBatch
} from '@likeness/shared/contract/vector-batch'
import { allFinite, isSparse } from '@likeness/shared/contract/vector-rows'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import type { NamedIngestion, OpenIngestion } from './open-ingestion.ts'
import { peekBytes, type WorkSource } from './read-log.ts'

const headsAtOnce = 16

/**
 * Returns the header of a batch: undefined when the batch is damaged or has a long head (then the
 * caller reads the whole batch), null when the batch is gone.
 */
export async function peekHeader(
  store: ObjectStore,
  key: string
): Promise<VectorBatch['header'] | undefined | null> {
  try {
    const head = await store.getRange(key, 0, peekBytes)
    return head === undefined ? null : peekBatchHeader(head)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}
/** Returns undefined where the caller has to read the whole batch. */
export async function peekOrdinals(store: ObjectStore, key: string): Promise<number[] | undefined> {
  const header = await peekHeader(store, key)
  return header === null ? [] : header?.items.map(({ ordinal }) => ordinal)
}
/** Whether a batch may hold an ordinal that is not done. */
export async function isOutstanding(
  { store, clock, signal }: WorkSource,
  { done }: OpenIngestion,
  key: string
): Promise<boolean> {
  if (done.count === 0) return true
  const ordinals = await retryStore(clock, () => peekOrdinals(store, key), signal)
  return ordinals === undefined || ordinals.some((ordinal) => !done.has(ordinal))
}
/** Returns keys of the batches of one ingestion that hold an ordinal which is not done. */
export async function listOpenBatches(
  source: WorkSource,
  { ingestion, open }: NamedIngestion,
  isKnown: (ingestion: string, key: string) => boolean
): Promise<string[]> {
  const { store, clock, keys, signal } = source
  const listed = await retryStore(
    clock,
    async () => {
      const found: string[] = []
      for await (const { key } of store.list(keys.batchPrefix(ingestion)))
        if (!isKnown(ingestion, key)) found.push(key)
      return found
    },
    signal
  )
  const wanted: string[] = []
  const look = async (key: string) => ({ key, is: await isOutstanding(source, open, key) })
  for await (const { key, is } of mapInOrder(listed, headsAtOnce, look)) if (is) wanted.push(key)
  return wanted
}
export interface ReadBatch {
  batch: VectorBatch
  sizeBytes: number
}
/**
 * Reads a batch as written, maybe for an earlier embedding (embedded-batch.ts). Returns undefined
 * when the batch does not exist (collected, or of another collection id). Refuses other models and
 * malformed content with data_corrupt.
 */
export async function readBatch(
  { store, clock, keys, signal }: WorkSource,
  { collectionId, embedding }: Pick<CollectionSpec, 'collectionId' | 'embedding'>,
  key: string
): Promise<ReadBatch | undefined> {
  const name = parseBatchKey(key)
  if ((name === undefined && !isSharedBatchKey(key)) || !key.startsWith(keys.root)) return undefined
  const stored = await retryStore(clock, () => store.get(key), signal)
  if (stored === undefined) return undefined
  const batch = decodeVectorBatch(stored.body)
  const { header, vectors } = batch
  const { version, dim, sparse = false } = embedding
  if (header.collectionId !== collectionId)
    throw appError('data_corrupt', `${key} belongs to collection ${header.collectionId}`)
  const ingestion = isShared(header) ? undefined : header.ingestion
  if (ingestion !== name?.ingestion)
    throw appError('data_corrupt', `${key} holds ${ingestion ?? 'many ingestions'}`)
  const isOfCollection =
    header.embeddingVersion === version
      ? header.dim === dim
      : modelOf(header.embeddingVersion) === modelOf(version)
  if (!isOfCollection)
    throw appError(
      'data_corrupt',
      `${key} has embedding ${header.embeddingVersion} (${header.dim}), the collection ${version} (${dim})`
    )
  if (header.items.some((item) => (item.failure === undefined) !== item.rows.length > 0))
    throw appError('data_corrupt', `${key} has an item with neither rows nor a failure`)
  if (isSparse(vectors) !== sparse)
    throw appError(
      'data_corrupt',
      `${key} has ${sparse ? 'dense' : 'sparse'} vectors, the collection has ${sparse ? 'sparse' : 'dense'} ones`
    )
  if (!allFinite(isSparse(vectors) ? vectors.values : vectors))
    throw appError(
      'data_corrupt',
      `${key} has a value that is not a number among ${countRows(header.items)} rows`
    )
  return { batch, sizeBytes: stored.body.byteLength }
}
