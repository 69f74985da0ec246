// Gives rows that exist only as vectors to a collection's writer: item list, vector batches, log
// entry, the same as an acknowledged import.
import { createItemListWriter, createLogAppender } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { createUlid } from '@likeness/shared/data/ulid'
import { systemClock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { idOf, labelOf, type Rows } from './rows.ts'

/** The same as in the api: one durable write for up to 4096 supplied items, one for their list. */
const itemsPerBatch = 4096
const partSize = 10_000
const idsPerDeletion = 10_000

export function createRowAcceptance({
  store,
  spec: { collectionId, embedding }
}: {
  store: ObjectStore
  spec: CollectionSpec
}) {
  const { dim } = embedding
  const keys = collectionKeys(collectionId)
  const lists = createItemListWriter({ store })
  const appender = createLogAppender({ store, clock: systemClock })

  async function putBatch(
    ingestion: string,
    { first, vectors }: Rows,
    firstOrdinal: number
  ): Promise<void> {
    const items = Array.from({ length: vectors.length / dim }, (_, i): BatchItem => {
      const row = first + i
      return {
        ordinal: firstOrdinal + i,
        id: idOf(row),
        label: labelOf(row),
        imageKey: null,
        width: 1,
        height: 1,
        rows: [{ kind: 'whole', box: [0, 0, 1, 1], score: 1, className: null }]
      }
    })
    const header = {
      collectionId,
      ingestion,
      embeddingVersion: embedding.version,
      dim,
      rawDim: 0,
      items
    }
    await store.put(
      keys.batch(ingestion, firstOrdinal, createUlid()),
      encodeVectorBatch({ header, vectors, raw: new Uint16Array(0) })
    )
  }

  return {
    async accept({ first, vectors }: Rows): Promise<void> {
      const ingestion = createUlid()
      const total = vectors.length / dim
      await lists.write(
        collectionId,
        ingestion,
        Array.from({ length: total }, (_, i) => ({
          ordinal: i,
          id: idOf(first + i),
          label: labelOf(first + i),
          imageKey: null
        })),
        { partSize }
      )
      // Batches are written side by side, like those of several requests.
      const starts = Array.from(
        { length: Math.ceil(total / itemsPerBatch) },
        (_, i) => i * itemsPerBatch
      )
      await Promise.all(
        starts.map((at) =>
          putBatch(
            ingestion,
            { first: first + at, vectors: vectors.subarray(at * dim, (at + itemsPerBatch) * dim) },
            at
          )
        )
      )
      await appender.append(collectionId, {
        kind: 'ingest',
        opId: ingestion,
        atMs: 0,
        ingestion,
        total,
        partSize,
        given: true
      })
    },
    async acceptDeletion(rows: readonly number[]): Promise<void> {
      for (let at = 0; at < rows.length; at += idsPerDeletion) {
        await appender.append(collectionId, {
          kind: 'delete',
          opId: createUlid(),
          atMs: 0,
          ids: rows.slice(at, at + idsPerDeletion).map(idOf)
        })
      }
    }
  }
}
