// Follows the jobs of a build to their end. A few jobs are asked at a time, so that hundreds of
// jobs cost no more than a single job.
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
  /** Failures by line. */
  failures: LineFailure[]
  jobs: string[]
  /** Commit that completed the last of the jobs. */
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

export class JobFollower {
  private readonly deps: FollowDeps
  private readonly open: Open[] = []
  private readonly told = new Set<string>()
  private readonly result: Followed = {
    indexed: 0,
    superseded: 0,
    failed: 0,
    failures: [],
    jobs: [],
    seq: 0
  }
  private stopped = false
  private doneBefore = 0

  constructor(deps: FollowDeps) {
    this.deps = deps
  }

  add({ jobs, failures }: SubmittedPart): void {
    const { open, result } = this
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
    this.report()
  }

  /** Ends `run`, when its result is no longer needed. */
  stop(): void {
    this.stopped = true
  }

  /** Runs until `noMore` aborts, which means that no job will be added, and all jobs are done. */
  async run(noMore: AbortSignal): Promise<Followed> {
    const { open, result } = this
    while (!this.stopped && (!noMore.aborted || open.length > 0)) {
      await this.askSome()
      if (open.length > 0 || !noMore.aborted) await pause(pollMs)
    }
    result.failures.sort((a, b) => a.line - b.line)
    return result
  }

  private report(): void {
    const { open, result } = this
    const settled = result.indexed + result.superseded + result.failed
    this.deps.onDone(
      open.reduce((sum, { counts }) => sum + counts.total - counts.pending, settled),
      this.doneBefore
    )
  }

  /** Asks the next few jobs. Unfinished jobs go to the end of the line. */
  private async askSome(): Promise<void> {
    const some = this.open.slice(0, askedAtOnce)
    const done = await Promise.all(some.map((one) => this.ask(one)))
    this.open.splice(0, some.length)
    this.open.push(...some.filter((_, i) => !done[i]))
    this.report()
  }

  private async ask(one: Open): Promise<boolean> {
    const answer = await this.getJob(one.job.id)
    one.counts = answer.counts
    if (!one.isAsked) this.doneBefore += answer.counts.total - answer.counts.pending
    one.isAsked = true
    this.tellWaiting(answer)
    if (answer.state === 'cancelled')
      throw new UserError(
        `job ${answer.id} was cancelled: somebody asked for that, or the collection was dropped`
      )
    if (answer.state !== 'completed') return false
    const { result } = this
    result.indexed += answer.counts.indexed
    result.superseded += answer.counts.superseded
    result.failed += answer.counts.failed
    result.seq = Math.max(result.seq, answer.seq ?? 0)
    if (answer.counts.failed > 0) await this.keepFailures(answer, one.job)
    return true
  }

  private getJob(id: string, page?: { failedAfter: number }): Promise<JobAnswer> {
    const { api, onTrouble } = this.deps
    return keepTrying(() => api.getJob(id, page), { onTrouble })
  }

  private tellWaiting({ waiting }: JobAnswer): void {
    if (waiting === null || this.told.has(waiting.detail)) return
    this.told.add(waiting.detail)
    this.deps.onWaiting(waiting.detail)
  }

  private async keepFailures(answer: JobAnswer, { id, lines }: SubmittedJob): Promise<void> {
    const { failures } = this.result
    let page = answer.failed
    while (page.length > 0 && failures.length < failuresKept) {
      for (const { ordinal, id: path, line, code, message } of page)
        failures.push({ line: line ?? lines?.[ordinal] ?? 0, path, code, message })
      page = (await this.getJob(id, { failedAfter: page.at(-1)!.ordinal })).failed
    }
  }
}
