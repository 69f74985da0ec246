// The jobs of all collections, read from what was committed and from the log: never from a queue.
import type { JobPointer } from '@likeness/shared/contract/job'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Jobs, JobStatus, ListedJobs } from '../contract.ts'
import { findJob, type FoundJob, readIngestion } from './find-job.ts'
import { readFailures } from './read-failures.ts'
import { FormerJobs } from './former-jobs.ts'
import { parseJobId } from '@likeness/shared/contract/job-id'
import { JobParts } from './job-parts.ts'
import {
  nothingDone,
  openEnd,
  pointerOf,
  queuedStatus,
  recordStatus,
  statusOf
} from './job-status.ts'
import { listJobs, type ListedPage } from './list-jobs.ts'

const collectionsAtOnce = 16

export interface JobsDeps {
  store: ObjectStore
}

const notFound = (id: string) => appError('job_not_found', `there is no job ${JSON.stringify(id)}`)

export function createJobs({ store }: JobsDeps): Jobs {
  const deps = { store, parts: new JobParts(store) }
  const former = new FormerJobs(store)

  async function find(id: string): Promise<{ found: FoundJob | undefined; pointer?: JobPointer }> {
    const place = parseJobId(id)
    if (place !== undefined) return { found: await findJob(deps, place) }
    const pointer = await former.read(id)
    if (pointer === undefined) throw notFound(id)
    return { found: await findJob(deps, pointer), pointer }
  }

  function formerStatus(pointer: JobPointer, found: FoundJob | undefined): JobStatus {
    const id = pointer.ingestion
    if (found === undefined) return statusOf(pointer, 'cancelled', nothingDone, { id, ...openEnd })
    const { manifest, record, result, ahead } = found
    if (record !== undefined) return recordStatus(pointer, record, manifest.spec.embedding, id)
    if (result !== undefined)
      return statusOf(pointer, 'completed', result, {
        id,
        seq: result.seq,
        finishedAtMs: result.finishedAtMs
      })
    if (ahead !== undefined) return statusOf(pointer, 'queued', nothingDone, { id, ...openEnd })
    return { ...statusOf(pointer, 'completed', nothingDone, { id, ...openEnd }), resultLost: true }
  }

  /** The log stays for a while after a drop. Then nobody knows the job any more. */
  async function statusAfterDrop(id: string): Promise<JobStatus> {
    const place = parseJobId(id)!
    const operation = await readIngestion(store, place)
    if (operation === undefined) throw notFound(id)
    const { ingestion, total, source = '', atMs: createdAtMs } = operation
    const pointer = { ...place, ingestion, collection: '', total, source, createdAtMs }
    return statusOf(pointer, 'cancelled', nothingDone, openEnd)
  }

  async function status(id: string): Promise<JobStatus> {
    const { found, pointer } = await find(id)
    if (pointer !== undefined) return formerStatus(pointer, found)
    if (found === undefined) return await statusAfterDrop(id)
    const { manifest, record, ahead } = found
    if (record !== undefined)
      return recordStatus(pointerOf(manifest, record), record, manifest.spec.embedding)
    if (ahead === undefined) throw notFound(id)
    const { revision } = parseJobId(id)!
    return queuedStatus(manifest, ahead, revision)
  }

  /** Returns jobs of a program before 0.4 that come after those that were listed. */
  async function listFormer({
    collection,
    limit,
    before,
    state
  }: ListedPage & { collection?: string | undefined }): Promise<JobStatus[]> {
    const jobs: JobStatus[] = []
    if (limit === 0) return jobs
    for await (const pointer of former.newest({ collection, before })) {
      const job = formerStatus(pointer, await findJob(deps, pointer))
      if (state === undefined || job.state === state) jobs.push(job)
      if (jobs.length === limit) break
    }
    return jobs
  }

  async function listOne(
    collection: { collectionId: string; name: string },
    { limit, before, state }: ListedPage
  ): Promise<ListedJobs> {
    const page = { limit: limit + 1, before, state }
    const jobs = (await listJobs(deps, collection.collectionId, page)) ?? []
    const rest = { limit: page.limit - jobs.length, state, before: jobs.at(-1)?.revision ?? before }
    jobs.push(...(await listFormer({ ...rest, collection: collection.name })))
    const next = jobs.length > limit ? jobs[limit - 1]!.revision : null
    return { jobs: jobs.slice(0, limit), next }
  }

  /** Of each collection the newest jobs, as many as all of them may be. */
  async function listAll(
    collections: readonly { collectionId: string }[],
    { limit, state }: ListedPage
  ): Promise<ListedJobs> {
    const jobs = await listFormer({ limit, state })
    const read = async ({ collectionId }: { collectionId: string }) =>
      (await listJobs(deps, collectionId, { limit, state })) ?? []
    for await (const found of mapInOrder(collections, collectionsAtOnce, read)) jobs.push(...found)
    jobs.sort((a, b) => b.createdAtMs - a.createdAtMs)
    return { jobs: jobs.slice(0, limit), next: null }
  }

  return {
    recordFormer: (pointer) => former.record(pointer),
    status,
    async failedItems(id, { after = -1, limit = 1000 } = {}) {
      const { found } = await find(id)
      const keys = found?.record?.failures ?? found?.result?.failures ?? []
      return await readFailures(store, keys, { after, limit })
    },
    list: ({ limit = 50, collection, collections = [], ...page }) =>
      collection === undefined
        ? listAll(collections, { limit, ...page })
        : listOne(collection, { limit, ...page })
  }
}
