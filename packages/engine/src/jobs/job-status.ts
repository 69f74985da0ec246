// The status of a job: of its record, or of its operation when no commit has that yet.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { JobPointer, JobResult } from '@likeness/shared/contract/job'
import type { IngestOperation } from '@likeness/shared/contract/operation'
import type { JobStatus } from '../contract.ts'
import type { IngestionRecord } from '../state/job-record.ts'
import type { Manifest } from '../version/manifest.ts'
import { jobIdOf } from '@likeness/shared/contract/job-id'

type Done = Pick<JobResult, 'indexed' | 'superseded' | 'failed'> & { cancelled?: number }
type More = Pick<JobStatus, 'seq' | 'finishedAtMs'> & Partial<Pick<JobStatus, 'awaits' | 'id'>>

export const nothingDone = { indexed: 0, superseded: 0, failed: 0 }
export const openEnd = { seq: null, finishedAtMs: null }

export function statusOf(
  pointer: JobPointer,
  state: JobStatus['state'],
  { indexed, superseded, failed, cancelled = 0 }: Done,
  { awaits = null, id = jobIdOf(pointer), ...end }: More
): JobStatus {
  const left = pointer.total - indexed - superseded - failed - cancelled
  return {
    ...pointer,
    id,
    state,
    counts: {
      total: pointer.total,
      pending: state === 'completed' ? 0 : left,
      indexed,
      superseded,
      failed,
      ...(cancelled > 0 && { cancelled })
    },
    awaits,
    ...end
  }
}

/** Returns what is said of the job elsewhere than in its counts. */
export const pointerOf = (
  { spec: { collectionId, name } }: Manifest,
  job: Pick<IngestionRecord, 'ingestion' | 'total' | 'revision' | 'source' | 'createdAtMs'>
): JobPointer => ({
  ingestion: job.ingestion,
  collectionId,
  collection: name,
  total: job.total,
  revision: job.revision,
  source: job.source ?? '',
  createdAtMs: job.createdAtMs ?? 0
})

/** Status of an operation that no commit holds yet. */
export const queuedStatus = (
  manifest: Manifest,
  { atMs: createdAtMs, ...operation }: IngestOperation,
  revision: number
): JobStatus =>
  statusOf(
    pointerOf(manifest, { ...operation, revision, createdAtMs }),
    'queued',
    nothingDone,
    openEnd
  )

/** `embedding`: that of the version that has the record. */
export function recordStatus(
  pointer: JobPointer,
  record: IngestionRecord,
  embedding: EmbeddingSpec,
  id?: string
): JobStatus {
  const { completedSeq, completedAtMs, cancelled, done, given } = record
  if (completedSeq !== null)
    return statusOf(pointer, cancelled === undefined ? 'completed' : 'cancelled', record, {
      id,
      seq: completedSeq,
      finishedAtMs: completedAtMs
    })
  const awaits = given === true ? null : embedding
  return statusOf(pointer, done === '' ? 'queued' : 'running', record, { id, ...openEnd, awaits })
}
