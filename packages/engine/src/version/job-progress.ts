// How far a job is: what the manifest says was applied, or the result that its writer left.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { JobPointer, JobResult } from '@likeness/shared/contract/job'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import type { ObjectStore } from '@likeness/store/object-store'
import type { JobStatus } from '../contract.ts'
import { readJobResult } from './job-result.ts'
import type { IngestionRecord, Manifest } from './manifest.ts'
import { readCommitted } from './read-manifest.ts'

/** Reads the committed version of a collection; undefined when it is gone. */
export type Committed = (collectionId: string) => Promise<Manifest | undefined>

interface Progress {
  record?: IngestionRecord
  /** Embedding of the version that has the record. */
  embedding?: EmbeddingSpec
  result?: JobResult
  /** Whether the result object is gone: it was applied, and nobody knows the counts. */
  lost?: boolean
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
      pending: state === 'completed' ? 0 : pointer.total - indexed - superseded - failed,
      indexed,
      superseded,
      failed
    },
    awaits,
    ...end
  }
}

export interface JobProgressDeps {
  store: ObjectStore
}

export const readLive =
  ({ store }: JobProgressDeps): Committed =>
  async (collectionId) =>
    await readCommitted(store, collectionId)

/** Returns undefined when the collection is gone. */
export async function readProgress(
  { store }: JobProgressDeps,
  { collectionId, ingestion, revision }: JobPointer,
  committed: Committed
): Promise<Progress | undefined> {
  const keys = collectionKeys(collectionId)
  for (let looked = 1; ; looked++) {
    const manifest = await committed(collectionId)
    if (manifest === undefined) return undefined
    const record = manifest.ingestions[ingestion]
    if (record !== undefined) return { record, embedding: manifest.spec.embedding, ahead: false }
    if (slotOf(revision) > manifest.appliedSlot) return { ahead: true }
    const result = await readJobResult(store, keys, ingestion)
    if (result !== undefined) return { result, ahead: false }
    // The result of an ingestion is written before a commit removes its record. So the collection
    // was dropped while we read, or the commit that we read is older than the result, or the result
    // is lost.
    if (looked > 1) return { lost: true, ahead: false }
    committed = readLive({ store })
  }
}

export async function statusFor(
  deps: JobProgressDeps,
  pointer: JobPointer,
  committed: Committed
): Promise<JobStatus> {
  const nothing = { indexed: 0, superseded: 0, failed: 0 }
  const open = { seq: null, finishedAtMs: null }
  const progress = await readProgress(deps, pointer, committed)
  if (progress === undefined) return statusOf(pointer, 'cancelled', nothing, open)
  const { record, embedding, result, lost, ahead } = progress
  if (lost) return { ...statusOf(pointer, 'completed', nothing, open), resultLost: true }
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
