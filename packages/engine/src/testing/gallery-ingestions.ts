// Ingestions of a test gallery: accepted in the same way as by the API, embedded in the same way as
// by an embed-worker.
import { sharedBatchId } from '@likeness/shared/contract/shared-batch'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import { jobIdOf } from '@likeness/shared/contract/job-id'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Jobs } from '../contract.ts'
import type { GalleryOptions, GalleryStack } from './gallery-stack.ts'
import { rawForms } from './shifted.ts'
import { sparseOf } from './sparse.ts'
import { dim, type TestItem, vectorOf } from './test-items.ts'

export function createIngestions(
  { store, clock, spec, keys, appender, lists, jobs }: GalleryStack,
  options: GalleryOptions
) {
  const { width = dim, sparse } = options

  function bodyOf(items: BatchItem[], given?: boolean) {
    const vectors = Float32Array.from(
      items
        .flatMap(({ rows }) => rows.map(({ box }) => [...(options.vectorOf ?? vectorOf)(box[2])]))
        .flat()
    )
    const raw =
      options.raw === undefined || given === true
        ? new Uint16Array(0)
        : rawForms[options.raw].write(vectors)
    const header = {
      collectionId: spec.collectionId,
      embeddingVersion: spec.embedding.version,
      dim: width,
      rawDim: raw.length === 0 ? 0 : width * (raw.length / vectors.length),
      items
    }
    return { header, vectors: sparse ? sparseOf(vectors, width) : vectors, raw }
  }
  const pictureOf = (ingestion: string, ordinal: number, id: string): string =>
    options.pictures ? keys.image(ingestion, ordinal) : `pictures/${id}`
  const batchItemsOf = (
    ingestion: string,
    items: readonly TestItem[],
    firstOrdinal: number
  ): BatchItem[] =>
    items.map(
      ({ id, label, metadata, seeds = [0], fails }, i): BatchItem => ({
        ordinal: firstOrdinal + i,
        id,
        label: label ?? null,
        metadata,
        imageKey: pictureOf(ingestion, firstOrdinal + i, id),
        width: 10,
        height: 10,
        rows:
          fails === undefined
            ? seeds.map((seed) => ({
                kind: 'subject',
                box: [0, 0, seed, 10],
                score: 1,
                className: null
              }))
            : [],
        ...(fails === undefined ? {} : { failure: { code: fails, message: `fails with ${fails}` } })
      })
    )
  const jobIds = new Map<string, string>()
  const idOf = (ingestion: string): string => jobIds.get(ingestion) ?? ingestion
  return {
    /** Tests name a job by its ingestion. */
    jobs: {
      ...jobs,
      status: (ingestion: string) => jobs.status(idOf(ingestion)),
      failedItems: (ingestion: string, range?: { after?: number; limit?: number }) =>
        jobs.failedItems(idOf(ingestion), range),
      idOf
    } satisfies Jobs & { idOf: typeof idOf },
    /**
     * Accepts an ingestion: item list, log entry. `given`: the store already has the batches.
     * `inline`: the log entry has the lines.
     */
    async accept(
      items: readonly TestItem[],
      { ingestion = createUlid(), given, inline = false, atMs = 0 }: AcceptOptions = {}
    ): Promise<{ ingestion: string; revision: number }> {
      const lines = items.map(({ id, label }, ordinal) => ({
        ordinal,
        id,
        label: label ?? null,
        imageKey: pictureOf(ingestion, ordinal, id)
      }))
      if (options.pictures)
        for (const { id, imageKey } of lines) await store.put(imageKey, Buffer.from(id))
      if (!inline) await lists.write(spec.collectionId, ingestion, lines)
      const { revision } = await appender.append(spec.collectionId, {
        kind: 'ingest',
        opId: ingestion,
        atMs,
        ingestion,
        total: items.length,
        partSize: 200,
        given,
        source: 'test',
        ...(inline && { items: lines })
      })
      jobIds.set(ingestion, jobIdOf({ collectionId: spec.collectionId, revision }))
      return { ingestion, revision }
    },
    /**
     * Writes a batch for some ordinals of an ingestion, like an embed-worker. Returns the key of
     * the batch.
     */
    async embed(
      ingestion: string,
      items: readonly TestItem[],
      firstOrdinal = 0,
      given?: boolean
    ): Promise<string> {
      const key = keys.batch(ingestion, firstOrdinal, createUlid())
      const { header, ...rows } = bodyOf(batchItemsOf(ingestion, items, firstOrdinal), given)
      await store.put(key, encodeVectorBatch({ header: { ...header, ingestion }, ...rows }))
      return key
    },
    /** Writes a batch of items of many ingestions, like an embed-worker. Returns its key. */
    async embedShared(parts: readonly SharedPart[], id?: string): Promise<string> {
      const ingestions = parts.map(({ ingestion }) => ingestion)
      const key = keys.sharedBatch(id ?? sharedBatchId(clock.nowMs(), ingestions))
      const lists = parts.map(({ ingestion, items, firstOrdinal = 0 }) =>
        batchItemsOf(ingestion, items, firstOrdinal)
      )
      const { header, ...rows } = bodyOf(lists.flat())
      const counts = parts.map(({ ingestion, revision }, i) => ({
        ...{ ingestion, revision },
        items: lists[i]!.length
      }))
      await store.put(key, encodeVectorBatch({ header: { ...header, parts: counts }, ...rows }))
      return key
    }
  }
}

interface AcceptOptions {
  ingestion?: string
  given?: boolean
  inline?: boolean
  atMs?: number
}

/** Items of one ingestion in a shared batch. */
export interface SharedPart {
  ingestion: string
  revision: number
  items: readonly TestItem[]
  firstOrdinal?: number
}
