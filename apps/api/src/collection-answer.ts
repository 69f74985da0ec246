// What GET says about a collection.
import type { JobStatus, Snapshot } from '@likeness/engine/contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { CollectionAnswer } from '@likeness/shared/contract/http'
import type { ApiDeps } from './api-deps.ts'

const readTimeoutMs = 10_000
const openJobsSeen = 200

function answerOf(spec: CollectionSpec, snapshot: Pick<Snapshot, 'seq' | 'counts' | 'segments'>, openJobs: number): CollectionAnswer {
  const { name, incarnation, method, metric, embedding, settings, createdAtMs } = spec
  return {
    name,
    incarnation,
    index_method: method,
    metric,
    embedding,
    settings: { ...settings },
    created_at: new Date(createdAtMs).toISOString(),
    seq: snapshot.seq,
    items: snapshot.counts.items,
    rows: snapshot.counts.rows,
    segments: snapshot.segments,
    open_jobs: openJobs
  }
}

export const newCollectionAnswer = (spec: CollectionSpec): CollectionAnswer =>
  answerOf(spec, { seq: 0, counts: { items: 0, rows: 0 }, segments: [] }, 0)

/** Among the newest jobs. */
export async function openJobs({ jobs }: ApiDeps): Promise<JobStatus[]> {
  return (await jobs.list({ limit: openJobsSeen })).filter(({ state }) => state === 'queued' || state === 'running')
}

export async function collectionAnswer(deps: ApiDeps, spec: CollectionSpec, open: readonly JobStatus[]): Promise<CollectionAnswer> {
  const snapshot = await deps.replica.acquire(spec.incarnation, { consistency: 'bounded', timeoutMs: readTimeoutMs })
  try {
    return answerOf(spec, snapshot, open.filter(({ incarnation }) => incarnation === spec.incarnation).length)
  } finally {
    snapshot.release()
  }
}
