// Writes the vector batches of an ingestion with supplied vectors, in bounded memory.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { joinRows, rowBytes, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { createUlid } from '@likeness/shared/data/ulid'
import type { ObjectStore } from '@likeness/store/object-store'

const batchBytes = 4 * 1024 * 1024
const batchItems = 256

export interface BatchTarget {
  store: ObjectStore
  spec: CollectionSpec
  ingestion: string
  nowMs: () => number
}

/** Takes items in ascending order of ordinals, each once. `flush` writes the rest. */
export function createVectorBatches({
  store,
  spec: { collectionId, embedding },
  ingestion,
  nowMs
}: BatchTarget) {
  let items: BatchItem[] = []
  let parts: VectorRows[] = []
  let bytes = 0
  async function flush(): Promise<void> {
    if (items.length === 0) return
    const header = {
      collectionId,
      ingestion,
      embeddingVersion: embedding.version,
      dim: embedding.dim,
      rawDim: 0,
      items
    }
    const key = collectionKeys(collectionId).batch(
      ingestion,
      items[0]!.ordinal,
      createUlid(nowMs())
    )
    await store.put(
      key,
      encodeVectorBatch({ header, vectors: joinRows(parts), raw: new Uint16Array(0) })
    )
    items = []
    parts = []
    bytes = 0
  }
  return {
    async add(item: BatchItem, vectors: VectorRows): Promise<void> {
      items.push(item)
      parts.push(vectors)
      bytes += rowBytes(vectors)
      if (items.length >= batchItems || bytes >= batchBytes) await flush()
    },
    flush
  }
}
