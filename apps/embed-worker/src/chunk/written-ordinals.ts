// Finds the items of a chunk that an earlier try has written, from the heads of the batches.
import { type CollectionKeys, parseBatchKey } from '@likeness/shared/contract/keys'
import { peekBatchItems } from '@likeness/shared/contract/vector-batch'
import { isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'

export interface ChunkRange {
  ingestion: string
  firstOrdinal: number
  /** Exclusive. */
  endOrdinal: number
}

const firstBytes = 64 * 1024
const headConcurrency = 8

/** Batches that vanish or cannot be read count as not written. */
export async function findWrittenOrdinals(
  store: ObjectStore,
  keys: CollectionKeys,
  range: ChunkRange
): Promise<Set<number>> {
  const batchKeys = await listBatches(store, keys, range)
  const written = new Set<number>()
  for (let at = 0; at < batchKeys.length; at += headConcurrency) {
    const found = await Promise.all(
      batchKeys.slice(at, at + headConcurrency).map((key) => readOrdinals(store, key))
    )
    for (const ordinal of found.flat()) written.add(ordinal)
  }
  return written
}

async function listBatches(
  store: ObjectStore,
  keys: CollectionKeys,
  { ingestion, firstOrdinal, endOrdinal }: ChunkRange
): Promise<string[]> {
  const found: string[] = []
  // A batch's key is the first ordinal and more, so the key sorts after the bare ordinal.
  const startAfter = keys.batch(ingestion, firstOrdinal, '').slice(0, -1)
  for await (const { key } of store.list(keys.batchPrefix(ingestion), { startAfter })) {
    const parsed = parseBatchKey(key)
    if (parsed === undefined) continue
    if (parsed.firstOrdinal >= endOrdinal) break
    found.push(key)
  }
  return found
}

async function readOrdinals(store: ObjectStore, key: string): Promise<number[]> {
  for (let length = firstBytes; ; length *= 4) {
    const head = await readHead(store, key, length)
    if (head === undefined) return []
    const ordinals = peekBatchItems(head)
    if (ordinals !== undefined) return ordinals
    if (head.byteLength < length) return []
  }
}

async function readHead(
  store: ObjectStore,
  key: string,
  length: number
): Promise<Uint8Array | undefined> {
  try {
    return await store.getRange(key, 0, length)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}
