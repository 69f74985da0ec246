// Explains why a job does not go on, as far as the index-workers and the store are concerned.
import type { JobStatus } from '@likeness/engine/contract'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { EmbedderDeps } from '../embedder/require-embedder.ts'
import { whyWaiting } from '../embedder/why-waiting.ts'
import type { ProcessTrouble, Workers } from './worker-registry.ts'

const waitingFor = ({ code, detail, sinceMs }: ProcessTrouble): JobAnswer['waiting'] => ({
  code,
  detail,
  since: new Date(sinceMs).toISOString()
})

const nobody = {
  code: 'index_worker_unavailable',
  detail:
    'no index-worker is running: what was accepted is kept, and goes on as soon as one runs (likeness status shows the processes)'
} as const

/** null when the job goes on, or has ended. */
export async function whyStopped(
  deps: EmbedderDeps & { workers: Workers },
  job: Pick<JobStatus, 'awaits' | 'state' | 'collectionId'>
): Promise<JobAnswer['waiting']> {
  if (job.state !== 'queued' && job.state !== 'running') return null
  const { workers } = deps
  const troubles = workers.troubles(job.collectionId)
  const owner = troubles.find(
    ({ process, collectionId, stands }) =>
      process === 'index-worker' && (collectionId === undefined || stands === true)
  )
  if (owner !== undefined) return waitingFor(owner)
  if (workers.isKnown() && workers.alive('index-worker').length === 0) return nobody
  const embedding = await whyWaiting(deps, job)
  if (embedding !== null || job.awaits === null) return embedding
  const embedder = troubles.find(({ process }) => process === 'embed-worker')
  return embedder === undefined ? null : waitingFor(embedder)
}
