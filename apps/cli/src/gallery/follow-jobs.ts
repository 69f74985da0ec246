// Follows the jobs of a build to their end. A few jobs are asked at a time, so that hundreds of
// jobs cost no more than a single job.
import { setTimeout as pause } from 'node:timers/promises'
import type { JobAnswer } from '@likeness/shared/contract/http'
import type { ApiClient } from '../api-client.ts'
import { keepTrying } from '../connect/keep-trying.ts'
import { UserError } from '../user-error.ts'
import type { LineFailure, SubmittedJob, SubmittedPart } from './submit-parts.ts'

const pollMs = 300
const askedAtOnce = 4

export interface Counts {
  indexed: number
  superseded: number
  failed: number
}
export interface Followed extends Counts {
  /** Failures by line. */
  failures: LineFailure[]
  jobs: string[]
  /** Commit that holds all jobs. */
  seq: number
}
interface Open {
  job: SubmittedJob
  counts: JobAnswer['counts']
  isAsked: boolean
}

/** Most failures kept for the summary; all of them stay with their jobs. */
const failuresKept = 1_000

export interface FollowDeps {
  api: ApiClient
  /**
   * `done`: finished lines so far. `doneBefore`: lines that were finished when their job was first
   * asked for, from an earlier run of an interrupted build.
   */
  onDone: (done: number, doneBefore: number) => void
  onTrouble: (error: unknown) => void
  /** Called once for each reason why pictures wait. */
  onWaiting: (why: string) => void
}

export function createJobFollower({ api, onDone, onTrouble, onWaiting }: FollowDeps) {
  const open: Open[] = []
  const told = new Set<string>()
  let stopped = false
  let doneBefore = 0
  const result: Followed = { indexed: 0, superseded: 0, failed: 0, failures: [], jobs: [], seq: 0 }
  const report = (): void => {
    const settled = result.indexed + result.superseded + result.failed
    onDone(
      open.reduce((sum, { counts }) => sum + counts.total - counts.pending, settled),
      doneBefore
    )
  }

  async function ask(one: Open): Promise<boolean> {
    const answer = await keepTrying(() => api.getJob(one.job.id), { onTrouble })
    one.counts = answer.counts
    if (!one.isAsked) doneBefore += answer.counts.total - answer.counts.pending
    one.isAsked = true
    tellWaiting(answer)
    if (answer.state === 'cancelled')
      throw new UserError(`job ${answer.id} was cancelled: the collection was dropped meanwhile`)
    if (answer.state !== 'completed') return false
    result.indexed += answer.counts.indexed
    result.superseded += answer.counts.superseded
    result.failed += answer.counts.failed
    result.seq = Math.max(result.seq, answer.seq ?? 0)
    if (answer.counts.failed > 0) await keepFailures(answer, one.job)
    return true
  }

  function tellWaiting({ waiting }: JobAnswer): void {
    if (waiting === null || told.has(waiting.detail)) return
    told.add(waiting.detail)
    onWaiting(waiting.detail)
  }

  async function keepFailures(answer: JobAnswer, { id, lines }: SubmittedJob): Promise<void> {
    let page = answer.failed
    while (page.length > 0 && result.failures.length < failuresKept) {
      for (const { ordinal, id: path, line, code, message } of page)
        result.failures.push({ line: line ?? lines?.[ordinal] ?? 0, path, code, message })
      const failedAfter = page.at(-1)!.ordinal
      page = (await keepTrying(() => api.getJob(id, { failedAfter }), { onTrouble })).failed
    }
  }

  /** Asks the next few jobs. Unfinished jobs go to the end of the line. */
  async function askSome(): Promise<void> {
    const some = open.slice(0, askedAtOnce)
    const done = await Promise.all(some.map(ask))
    open.splice(0, some.length)
    open.push(...some.filter((_, i) => !done[i]))
    report()
  }

  return {
    add({ jobs, failures }: SubmittedPart): void {
      for (const job of jobs) {
        open.push({
          job,
          counts: { total: job.total, pending: job.total, indexed: 0, superseded: 0, failed: 0 },
          isAsked: false
        })
        result.jobs.push(job.id)
      }
      result.failed += failures.length
      result.failures.push(...failures)
      report()
    },
    /** Ends `run`, when its result is no longer needed. */
    stop: () => void (stopped = true),
    /** Runs until `noMore` aborts, which means that no job will be added, and all jobs are done. */
    async run(noMore: AbortSignal): Promise<Followed> {
      while (!stopped && (!noMore.aborted || open.length > 0)) {
        await askSome()
        if (open.length > 0 || !noMore.aborted) await pause(pollMs)
      }
      result.failures.sort((a, b) => a.line - b.line)
      return result
    }
  }
}
