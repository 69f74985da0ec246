// The giving side of hand-overs: offers a collection to another worker, goes on owning it until that
// worker has read it ahead, and then lets it go.
import type { IndexWorkerEntry } from '@likeness/shared/contract/work'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Leaving, Ownership } from '../ownership.ts'
import { heirOf, planGift } from './share-plan.ts'

/** Time in which the other worker must be ready. */
const deadlineMs = 60_000
/** A worker that was not ready in time gets no offer for this time. */
const slowForMs = 300_000
/** Time for merges under way to end before they are given up. */
const drainMs = 10_000
const stoppingDrainMs = 2_000
/** Offers of a worker at the same time, when it stops. Otherwise it makes one. */
const mostOffers = 64

interface Offer {
  to: string
  untilMs: number
  isLeaving: boolean
}

export interface GivingDeps {
  owned: Pick<Ownership, 'has' | 'shares' | 'leave'>
  clock: Clock
  logger: Logger
  /** Shortest time between two offers for the sake of balance. */
  everyMs: number
  /** Whether a worker is there and ready for a collection, asked anew. */
  isReady(to: string, collectionId: string): Promise<boolean>
  /** The lease of an offered collection was moved. */
  onGiven(): void
}

export function createGiving(deps: GivingDeps) {
  const { owned, clock, logger, everyMs, isReady, onGiven } = deps
  const offers = new Map<string, Offer>()
  const slowUntilMs = new Map<string, number>()
  let nextAtMs = -Infinity

  function offer(collectionId: string, to: string): void {
    logger.info({ collectionId, to }, 'offered to another worker')
    offers.set(collectionId, { to, untilMs: clock.nowMs() + deadlineMs, isLeaving: false })
  }

  function leave(collectionId: string, to: string, withinMs: number): void {
    const leaving: Leaving = {
      to,
      withinMs,
      isReady: () => isReady(to, collectionId),
      given() {
        offers.delete(collectionId)
        onGiven()
      }
    }
    owned.leave(collectionId, leaving)
  }

  function settle(others: readonly IndexWorkerEntry[], isStopping: boolean): void {
    for (const [collectionId, one] of offers) {
      const taker = others.find(({ workerId }) => workerId === one.to)
      if (!owned.has(collectionId)) offers.delete(collectionId)
      else if (one.isLeaving) continue
      else if (taker === undefined || taker.isStopping) offers.delete(collectionId)
      else if (taker.ready.includes(collectionId)) {
        one.isLeaving = true
        leave(collectionId, one.to, isStopping ? stoppingDrainMs : drainMs)
      } else if (clock.nowMs() >= one.untilMs) {
        logger.warn({ collectionId, to: one.to }, 'the other worker was not ready in time')
        slowUntilMs.set(one.to, clock.nowMs() + slowForMs)
        offers.delete(collectionId)
      }
    }
  }

  return {
    offers: (): Record<string, string> =>
      Object.fromEntries([...offers].map(([collectionId, { to }]) => [collectionId, to])),
    /** Acts on the entries of the others. Returns the workers that have a new offer. */
    turn(own: IndexWorkerEntry, others: readonly IndexWorkerEntry[]): string[] {
      const { isStopping } = own
      settle(others, isStopping)
      const nowMs = clock.nowMs()
      const quick = others.filter(({ workerId }) => nowMs >= (slowUntilMs.get(workerId) ?? 0))
      const told: string[] = []
      const give = (collectionId: string, to: string | undefined): void => {
        if (to === undefined) return
        offer(collectionId, to)
        told.push(to)
      }
      const shares = owned.shares().filter(({ collectionId }) => !offers.has(collectionId))
      if (isStopping) {
        for (const { collectionId } of shares.slice(0, mostOffers - offers.size))
          give(collectionId, heirOf(collectionId, quick))
      } else if (offers.size === 0 && nowMs >= nextAtMs) {
        const free = shares.filter(({ isFree }) => isFree)
        const gift = planGift(own, quick, free)
        if (gift !== undefined) nextAtMs = nowMs + everyMs
        give(gift?.collectionId ?? '', gift?.to)
      }
      return told
    }
  }
}
