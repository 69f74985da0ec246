// Writes the vector batches of an ingestion with supplied vectors, in bounded memory. A batch is
// one durable write, so it is large: the disk waits as long for a small one.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import {
  isSparse,
  joinRows,
  rowBytes,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { createUlid } from '@likeness/shared/data/ulid'
import type { ObjectStore } from '@likeness/store/object-store'
import { describedBytes } from './supplied-item.ts'

const batchBytes = 8 * 1024 * 1024
const batchItems = 4096

const areDense = (parts: readonly VectorRows[]): parts is readonly Float32Array[] =>
  !parts.some(isSparse)

export interface BatchTarget {
  store: ObjectStore
  spec: CollectionSpec
  ingestion: string
  nowMs: () => number
}

/**
 * Takes items in ascending order of ordinals, each once. One batch is written while the next is
 * collected. `sizeBytes`: of the description of the item. `flush` writes the rest; `settle` waits
 * for the write that runs and never rejects.
 */
export function createVectorBatches({
  store,
  spec: { collectionId, embedding },
  ingestion,
  nowMs
}: BatchTarget) {
  let items: BatchItem[] = []
  let parts: VectorRows[] = []
  let bytes = 0
  let writing: Promise<unknown> = Promise.resolve()

  /** Resolves when the batch before is durable. */
  async function write(): Promise<void> {
    await writing
    if (items.length === 0) return
    const header = {
      collectionId,
      ingestion,
      embeddingVersion: embedding.version,
      dim: embedding.dim,
      rawDim: 0,
      items
    }
    const vectors = areDense(parts) ? parts : joinRows(parts)
    const body = encodeVectorBatch({ header, vectors, raw: new Uint16Array(0) })
    const key = collectionKeys(collectionId).batch(
      ingestion,
      items[0]!.ordinal,
      createUlid(nowMs())
    )
    items = []
    parts = []
    bytes = 0
    writing = store.put(key, body)
    // Awaited by the next write. This handler keeps an early failure from being reported as
    // unhandled.
    writing.catch(() => undefined)
  }

  return {
    /** Returns whether the batch is full: then `write` comes next. */
    add(item: BatchItem, vectors: VectorRows, sizeBytes = describedBytes(item)): boolean {
      items.push(item)
      parts.push(vectors)
      bytes += rowBytes(vectors) + sizeBytes
      return items.length >= batchItems || bytes >= batchBytes
    },
    write,
    async flush(): Promise<void> {
      await write()
      await writing
    },
    settle: (): Promise<void> =>
      writing.then(
        () => undefined,
        () => undefined
      )
  }
}
