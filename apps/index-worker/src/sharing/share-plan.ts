// Which worker should have a collection. Pure functions of loads and ids, so that workers with the
// same table decide the same.
import type { IndexWorkerEntry } from '@likeness/shared/contract/work'
import { sha256Hex } from '@likeness/shared/data/sha256'

export type Candidate = Pick<IndexWorkerEntry, 'workerId' | 'load' | 'isStopping'>
export interface Share {
  collectionId: string
  load: number
}
export interface Gift {
  collectionId: string
  to: string
}

/** A worker with more than this times the mean load gives collections away. */
const mostOfMean = 1.2

const itemsOfOne = 100_000
export const loadOf = (items: number): number => 1 + items / itemsOfOne

const hashDigits = 12

/**
 * Weighted rendezvous hash: each worker draws a number for the collection, and the share that a
 * worker wins is in proportion to its weight. When a worker comes or goes, only collections that it
 * wins or had won move.
 */
function scoreOf(collectionId: string, { workerId, load }: Candidate): number {
  const digits = sha256Hex(`${workerId} ${collectionId}`).slice(0, hashDigits)
  const drawn = (Number.parseInt(digits, 16) + 0.5) / 16 ** hashDigits
  return -1 / ((1 + load) * Math.log(drawn))
}

/** Returns undefined when no worker can take anything. */
export function heirOf(collectionId: string, workers: readonly Candidate[]): string | undefined {
  let best: { workerId: string; score: number } | undefined
  for (const worker of workers) {
    if (worker.isStopping) continue
    const score = scoreOf(collectionId, worker)
    if (best === undefined || score > best.score) best = { workerId: worker.workerId, score }
  }
  return best?.workerId
}

/**
 * The collection that `me` should give away now, and to whom. Only a move after which neither of the
 * two has as much as `me` has now: so moves end, and two workers never exchange one collection for
 * ever.
 */
export function planGift(
  me: Candidate,
  others: readonly Candidate[],
  shares: readonly Share[]
): Gift | undefined {
  const takers = others.filter(({ isStopping }) => !isStopping)
  const mean = takers.reduce((sum, { load }) => sum + load, me.load) / (takers.length + 1)
  if (me.load <= mostOfMean * mean) return undefined
  const below = takers.filter(({ load }) => load < mean)
  const least = Math.min(...below.map(({ load }) => load))
  let best: { share: Share; rest: number } | undefined
  for (const share of shares) {
    const rest = Math.max(me.load - share.load, least + share.load)
    if (rest < (best?.rest ?? me.load)) best = { share, rest }
  }
  if (best === undefined) return undefined
  const { collectionId, load } = best.share
  const to = heirOf(
    collectionId,
    below.filter((taker) => taker.load + load < me.load)
  )
  return to === undefined ? undefined : { collectionId, to }
}
