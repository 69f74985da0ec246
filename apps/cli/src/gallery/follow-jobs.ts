// Follows the jobs of one build to their end: a few are asked at a time, so that hundreds of them cost no more than one.
import { setTimeout as pause } from 'node:timers/promises'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { ApiClient } from '../api/api-client.ts'
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
  /** By line. */
  failures: LineFailure[]
  jobs: string[]
  /** The commit that holds all of it. */
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
  /** Lines settled so far, and how many of them were when their job was first asked for: of an interrupted build, work of an earlier run. */
  onDone: (done: number, doneBefore: number) => void
  onTrouble: (error: unknown) => void
  /** Pictures wait, and why: told once for each reason. */
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

  /** Asks the next few; those that are not done go to the end of the line. */
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
    /** Nobody waits for `run` any more. */
    stop: () => void (stopped = true),
    /** Until `noMore` says that no job will be added, and all are done. */
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
