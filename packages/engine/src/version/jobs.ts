// The state of jobs, read from the operations that a manifest has applied: never from a queue.
import { decodeLines, decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import {
  type FailedItem,
  failedItemSchema,
  type JobPointer,
  jobPointerSchema,
  type JobResult
} from '@likeness/shared/contract/job'
import { collectionKeys, jobKey, jobsPrefix } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import { toStored } from '@likeness/shared/contract/stored-names'
import { ulidPattern } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Catalog, Jobs, JobStatus } from '../contract.ts'
import { readJobResult } from './job-result.ts'
import type { IngestionRecord, Manifest } from './manifest.ts'
import { readCommitted } from './read-manifest.ts'

/** Reads the committed version of a collection; undefined when it is gone. */
type Committed = (collectionId: string) => Promise<Manifest | undefined>

interface Progress {
  record?: IngestionRecord
  /** Embedding of the version that has the record. */
  embedding?: EmbeddingSpec
  result?: JobResult
  /** Whether the log entry is not applied yet. */
  ahead: boolean
}

type StatusMore = Pick<JobStatus, 'seq' | 'finishedAtMs'> & Partial<Pick<JobStatus, 'awaits'>>

const statusOf = (
  pointer: JobPointer,
  state: JobStatus['state'],
  done: Pick<JobResult, 'indexed' | 'superseded' | 'failed'>,
  { awaits = null, ...end }: StatusMore
): JobStatus => {
  const { indexed, superseded, failed } = done
  return {
    ...pointer,
    state,
    counts: {
      total: pointer.total,
      pending: pointer.total - indexed - superseded - failed,
      indexed,
      superseded,
      failed
    },
    awaits,
    ...end
  }
}

export function createJobs({ store, catalog }: { store: ObjectStore; catalog: Catalog }): Jobs {
  async function readPointer(id: string): Promise<JobPointer> {
    const stored = ulidPattern.test(id) ? await store.get(jobKey(id)) : undefined
    if (stored === undefined)
      throw appError('job_not_found', `there is no job ${JSON.stringify(id)}`)
    return decodeObject(jobPointerSchema, jobKey(id), stored.body)
  }

  const readLive: Committed = async (collectionId) =>
    (await catalog.isLive(collectionId)) ? await readCommitted(store, collectionId) : undefined

  /** Returns undefined when the collection is gone. */
  async function readProgress(
    { collectionId, ingestion, revision }: JobPointer,
    committed: Committed
  ): Promise<Progress | undefined> {
    const keys = collectionKeys(collectionId)
    for (;;) {
      const manifest = await committed(collectionId)
      if (manifest === undefined) return undefined
      const record = manifest.ingestions[ingestion]
      if (record !== undefined) return { record, embedding: manifest.spec.embedding, ahead: false }
      if (slotOf(revision) > manifest.appliedSlot) return { ahead: true }
      const result = await readJobResult(store, keys, ingestion)
      if (result !== undefined) return { result, ahead: false }
      // Dropped while we read: the result of an ingestion is written before a commit removes its
      // record.
      if (!(await catalog.isLive(collectionId))) return undefined
      committed = readLive
    }
  }

  async function statusFor(pointer: JobPointer, committed: Committed): Promise<JobStatus> {
    const nothing = { indexed: 0, superseded: 0, failed: 0 }
    const open = { seq: null, finishedAtMs: null }
    const progress = await readProgress(pointer, committed)
    if (progress === undefined) return statusOf(pointer, 'cancelled', nothing, open)
    const { record, embedding, result, ahead } = progress
    if (result !== undefined)
      return statusOf(pointer, 'completed', result, {
        seq: result.seq,
        finishedAtMs: result.finishedAtMs
      })
    if (ahead || record === undefined) return statusOf(pointer, 'queued', nothing, open)
    if (record.completedSeq !== null)
      return statusOf(pointer, 'completed', record, {
        seq: record.completedSeq,
        finishedAtMs: record.completedAtMs
      })
    const awaits = record.given === true ? null : embedding
    return statusOf(pointer, record.done === '' ? 'queued' : 'running', record, { ...open, awaits })
  }

  async function failureKeys(pointer: JobPointer): Promise<string[]> {
    const progress = await readProgress(pointer, readLive)
    return progress?.record?.failures ?? progress?.result?.failures ?? []
  }

  /** Returns the first `limit` jobs of a collection, or of all. */
  async function newestOf(
    ids: readonly string[],
    { limit, collection }: { limit: number; collection: string | undefined }
  ): Promise<JobPointer[]> {
    const found: JobPointer[] = []
    for (let at = 0; at < ids.length && found.length < limit; at += limit) {
      const pointers = await Promise.all(ids.slice(at, at + limit).map(readPointer))
      found.push(
        ...pointers.filter(
          (pointer) => collection === undefined || pointer.collection === collection
        )
      )
    }
    return found.slice(0, limit)
  }

  return {
    async record(pointer) {
      await store.put(jobKey(pointer.ingestion), encodeObject(toStored(pointer)))
    },
    status: async (id) => await statusFor(await readPointer(id), readLive),
    async failedItems(id, { after = -1, limit = 1000 } = {}) {
      const failed: FailedItem[] = []
      for (const key of await failureKeys(await readPointer(id))) {
        const stored = await store.get(key)
        if (stored === undefined)
          throw appError('data_corrupt', `${key}, named by the job, is missing`)
        failed.push(...decodeLines(failedItemSchema, key, stored.body))
      }
      return failed
        .filter(({ ordinal }) => ordinal > after)
        .sort((a, b) => a.ordinal - b.ordinal)
        .slice(0, limit)
    },
    async list({ limit = 50, collection } = {}) {
      const ids: string[] = []
      for await (const { key } of store.list(jobsPrefix)) {
        ids.push(key.slice(jobsPrefix.length))
        if (collection === undefined && ids.length > limit) ids.shift()
      }
      const pointers = await newestOf(ids.reverse(), { limit, collection })
      // Each collection is read once for all of its jobs.
      const readings = new Map<string, Promise<Manifest | undefined>>()
      const once: Committed = (collectionId) => {
        const reading = readings.get(collectionId) ?? readLive(collectionId)
        readings.set(collectionId, reading)
        return reading
      }
      return await Promise.all(pointers.map((pointer) => statusFor(pointer, once)))
    }
  }
}
