// Builds the answer to GET of a job.
import type { JobStatus } from '@likeness/engine/contract'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { FailedItem } from '@likeness/shared/contract/job'

const isoTime = (ms: number): string => new Date(ms).toISOString()

export function jobAnswer(
  job: JobStatus,
  waiting: JobAnswer['waiting'],
  failed: FailedItem[]
): JobAnswer {
  const {
    id,
    collection,
    collectionId,
    state,
    source,
    revision,
    counts,
    seq,
    createdAtMs,
    finishedAtMs,
    resultLost
  } = job
  return {
    id,
    collection,
    incarnation: collectionId,
    state,
    source,
    revision,
    counts,
    waiting,
    failed,
    seq,
    created_at: isoTime(createdAtMs),
    finished_at: finishedAtMs === null ? null : isoTime(finishedAtMs),
    ...(resultLost && { result_lost: true })
  }
}
