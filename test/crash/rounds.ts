// Runs rounds until enough kills have interrupted work: an import, changes beside it, and a blow in
// the middle. Then waits for the end of every job.
import { setTimeout as pause } from 'node:timers/promises'
import type { Random } from '../simulation/random.ts'
import type { LiveStack } from '../support/live-stack.ts'
import type { Blow } from './blows.ts'
import { report, type Tally } from './oracle.ts'
import type { Timeline } from './timeline.ts'
import { roundMs, type Workload } from './workload.ts'

export interface Rounds {
  live: LiveStack
  workload: Workload
  blows: readonly Blow[]
  random: Random
  timeline: Timeline
  /** Blows that remain. Each kind is used once before any kind is used again. */
  deck: Blow[]
  kills: number
  /**
   * Times between each counted kill and the indexing of an upload that was sent right after the
   * kill.
   */
  recoveriesMs: number[]
  /**
   * Number of times that each kind of blow interrupted work, and number of times without any work.
   */
  struck: Record<string, { met: number; missed: number }>
}

/** Longest time between the acknowledgement of an import and a blow. */
const mostPauseMs = 0.7 * roundMs

export async function runRounds(
  rounds: Rounds,
  { kills, size }: { kills: number; size: number }
): Promise<void> {
  const { workload, timeline } = rounds
  const batchOf = (round: number) => ({ first: round * size, count: size })
  const mostRounds = 3 * kills + 20
  await workload.prepare(batchOf(0))
  for (let round = 0; rounds.kills < kills; round++) {
    if (round === mostRounds)
      throw new Error(
        `${rounds.kills} kills met work in flight in ${round} rounds: imports of ${size} are too small`
      )
    const job = await workload.importBatch(batchOf(round))
    await Promise.all([
      strikeInFlight(rounds, job, round),
      workload.change(batchOf(round)),
      workload.prepare(batchOf(round + 1))
    ])
  }
  timeline.note('no more blows', { kills: rounds.kills, struck: rounds.struck })
}

async function strikeInFlight(rounds: Rounds, job: string, round: number): Promise<void> {
  const { live, workload, random, timeline } = rounds
  await pause(random.between(0, mostPauseMs))
  const { counts } = await live.api.job(job)
  const blow = drawBlow(rounds)
  const struck = await blow.strike()
  if (struck === undefined) {
    rounds.struck[blow.name]!.missed++
    return timeline.note('no victim', { blow: blow.name })
  }
  const { atMs, details } = struck
  await workload.probe(`${round}`)
  const recoveryMs = Date.now() - atMs
  const open = await countUnfinishedAt(rounds, atMs)
  const met = 'at' in details || open > 0
  timeline.note(blow.name, {
    ...details,
    round,
    pending: counts.pending,
    jobsInFlight: open,
    recoveryMs,
    counted: met && blow.isKill
  })
  rounds.struck[blow.name]![met ? 'met' : 'missed']++
  if (!met || !blow.isKill) return
  rounds.kills++
  rounds.recoveriesMs.push(recoveryMs)
}

function drawBlow({ deck, blows, random, struck }: Rounds): Blow {
  if (deck.length === 0) deck.push(...blows)
  const blow = deck.splice(random.below(deck.length), 1)[0]!
  struck[blow.name] ??= { met: 0, missed: 0 }
  return blow
}

/**
 * Counts the jobs that were acknowledged before a moment and not finished at this moment. The time
 * of the finishing commit decides.
 */
async function countUnfinishedAt({ live, workload }: Rounds, atMs: number): Promise<number> {
  let open = 0
  for (const { id, acknowledgedAtMs } of workload.recentJobs()) {
    if (acknowledgedAtMs >= atMs) continue
    const { finished_at: finishedAt } = await live.api.job(id)
    if (finishedAt === null || Date.parse(finishedAt) > atMs) open++
  }
  return open
}

/** Waits until every job ends, and checks that each item of a job is counted once. */
export async function settleJobs({ live, workload }: Rounds, tally: Tally): Promise<void> {
  for (const { id, total } of workload.jobs) {
    const { counts } = await live.api.finished(id)
    const done = counts.indexed + counts.superseded
    if (done + counts.failed !== total || counts.total !== total)
      report(
        tally,
        done > total ? 'duplicated' : 'lost',
        `job ${id} of ${total} items ended with ${JSON.stringify(counts)}`
      )
    for (let failed = 0; failed < counts.failed; failed++)
      report(tally, 'lost', `an item of job ${id} failed`)
  }
}
