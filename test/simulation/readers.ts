// Readers of versions and of jobs. Each reader compares the content with the promises from before
// the read.
import type { Jobs, JobStatus } from '@likeness/engine/contract'
import { createJobs } from '@likeness/engine/testing/internals'
import { isAppError } from '@likeness/shared/errors'
import type { ClientDeps } from './client.ts'
import { failsIn } from './ingestion-plan.ts'
import type { Truth } from './truth.ts'
import { checkVersion, floorOf, readVersion, type ReadVersion } from './version-check.ts'
import { Violation } from './violation.ts'
import { loop, type Machine, unlessUnavailable, type World } from './world.ts'

export async function readAndCheck(
  { happened }: World,
  { store, files, process }: Machine,
  truth: Truth
): Promise<ReadVersion | undefined> {
  const floor = floorOf(truth)
  const version = await readVersion({
    store,
    files,
    clock: process.clock,
    truth,
    onMissed: () => happened.versionsMissed++
  })
  // A late slot of a deleted collection is the first slot of a new log.
  if (version === undefined || truth.isDropped) return undefined
  checkVersion(truth, version, floor)
  happened.versionsRead++
  return version
}

export async function runReader(world: World, machine: Machine): Promise<void> {
  await loop(world, machine, [20, 300], async () => {
    await readAndCheck(world, machine, world.truthOf(world.live))
  })
}

/** Last answer about each job. */
export type SeenJobs = Map<string, JobStatus>

function checkJob(truth: Truth, before: JobStatus | undefined, status: JobStatus): void {
  const plan = truth.plans.get(status.ingestion)!
  const { total, pending, indexed, superseded, failed, cancelled = 0 } = status.counts
  const said = `job ${plan.number} ${status.state}: ${JSON.stringify(status.counts)}`
  if (status.state === 'cancelled' && truth.mayBeDropped) return
  if (
    total !== plan.items.length ||
    pending + indexed + superseded + failed + cancelled !== total ||
    Math.min(pending, indexed, superseded, failed, cancelled) < 0
  )
    throw new Violation('job-counts', said)
  if (before !== undefined && before.state !== 'cancelled') {
    const then = before.counts
    if (indexed < then.indexed || superseded < then.superseded || failed < then.failed)
      throw new Violation('job-counts', `${said} after ${JSON.stringify(then)}`)
    if (before.seq !== null && status.seq !== before.seq)
      throw new Violation('job-counts', `${said} at ${status.seq}, before at ${before.seq}`)
  }
  if (status.seq === null) return
  if (status.state === 'cancelled') {
    if (!truth.isCancelAsked(status.revision)) throw new Violation('job-counts', said)
    return
  }
  const failing = plan.items.filter((_, ordinal) =>
    failsIn(plan, ordinal, truth.versionOf(plan, truth.embedding))
  ).length
  // What was given, and was superseded before the embedding changed, did not fail.
  const ended = plan.given || status.revision < (truth.lastRestore(Infinity)?.revision ?? 0)
  if (pending !== 0 || (ended ? failed > failing : failed !== failing))
    throw new Violation('job-counts', `${said}, ${failing} of them fail`)
  if (truth.mayBeDropped) return
  if (status.seq === null || status.seq !== truth.completedSeq.get(status.ingestion))
    throw new Violation(
      'job-counts',
      `${said} in version ${status.seq}, really in ${truth.completedSeq.get(status.ingestion)}`
    )
  truth.raiseFloor(status.seq, 0)
}

export async function watchJob(
  seen: SeenJobs,
  jobs: Jobs,
  truth: Truth,
  ingestion: string
): Promise<JobStatus | undefined> {
  const before = seen.get(ingestion)
  const status = await unlessUnavailable(() => jobs.status(truth.jobIdOf(ingestion)))
  if (status === undefined) return undefined
  checkJob(truth, before, status)
  if (seen.get(ingestion) === before) seen.set(ingestion, status)
  if (status.state === 'completed' && status.counts.failed > 0)
    await checkFailures(jobs, truth, status)
  return status
}

async function checkFailures(jobs: Jobs, truth: Truth, { ingestion }: JobStatus): Promise<void> {
  const failed = await unlessUnavailable(() => jobs.failedItems(truth.jobIdOf(ingestion)))
  const plan = truth.plans.get(ingestion)!
  const expected = plan.items.flatMap((_, ordinal) =>
    failsIn(plan, ordinal, truth.versionOf(plan, truth.embedding)) ? [ordinal] : []
  )
  if (failed === undefined || truth.mayBeDropped) return
  // A restore may have ended the job before some of the items were processed. What was given may have
  // been superseded before the embedding changed.
  const isEarlier =
    plan.given || truth.revisionOf(ingestion) < (truth.lastRestore(Infinity)?.revision ?? 0)
  if (failed.length < expected.length && isEarlier) return
  if (failed.map(({ ordinal }) => ordinal).join() !== expected.join())
    throw new Violation(
      'job-counts',
      `failed items ${failed.map(({ ordinal }) => ordinal).join()}, made to fail: ${expected.join()}`
    )
}

export async function runJobWatcher(
  { world, acknowledgedJobs }: ClientDeps,
  machine: Machine,
  seen: SeenJobs
): Promise<void> {
  const jobs = createJobs(machine)
  await loop(world, machine, [50, 400], async () => {
    if (acknowledgedJobs.length === 0) return
    const { ingestion, truth } = world.random.pick(acknowledgedJobs)
    try {
      await watchJob(seen, jobs, truth, ingestion)
    } catch (error) {
      // The failure records were deleted with the collection.
      if (!(isAppError(error) && truth.mayBeDropped)) throw error
    }
  })
}
