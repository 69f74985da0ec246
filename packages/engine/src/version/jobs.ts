// The state of jobs, read from the operations that a manifest has applied: never from a queue.
import { decodeLines, decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import {
  type FailedItem,
  failedItemSchema,
  type JobPointer,
  jobPointerSchema
} from '@likeness/shared/contract/job'
import { jobKey, jobsPrefix } from '@likeness/shared/contract/keys'
import { toStored } from '@likeness/shared/contract/stored-names'
import { ulidPattern } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import type { Jobs } from '../contract.ts'
import {
  type Committed,
  type JobProgressDeps,
  readLive,
  readProgress,
  statusFor
} from './job-progress.ts'
import type { Manifest } from './manifest.ts'

export function createJobs(deps: JobProgressDeps): Jobs {
  const { store } = deps
  const live = readLive(deps)

  async function readPointer(id: string): Promise<JobPointer> {
    const stored = ulidPattern.test(id) ? await store.get(jobKey(id)) : undefined
    if (stored === undefined)
      throw appError('job_not_found', `there is no job ${JSON.stringify(id)}`)
    return decodeObject(jobPointerSchema, jobKey(id), stored.body)
  }

  async function failureKeys(pointer: JobPointer): Promise<string[]> {
    const progress = await readProgress(deps, pointer, live)
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
    status: async (id) => await statusFor(deps, await readPointer(id), live),
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
        const reading = readings.get(collectionId) ?? live(collectionId)
        readings.set(collectionId, reading)
        return reading
      }
      return await Promise.all(pointers.map((pointer) => statusFor(deps, pointer, once)))
    }
  }
}
