// Shares collections among the live index-workers: tells them of this one, and finds out which
// collections this one should take, give away or read ahead. Everything here saves work. The fence
// in CURRENT keeps order, whatever Redis says.
import type { ReadAhead } from '@likeness/engine'
import type { HandOverNotification, IndexWorkerEntry } from '@likeness/shared/contract/work'
import { createMutex } from '@likeness/shared/data/mutex'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Leases } from '../lease.ts'
import type { Ownership } from '../ownership.ts'
import { createGiving } from './giving.ts'
import { heirOf } from './share-plan.ts'
import { createTaking } from './taking.ts'
import type { WorkerTable } from './worker-table.ts'

/** Pause between two looks at the table while everything is given away. */
const lookEveryMs = 250
/** Lease times after which a free lease, which nobody took, is met as a new one. */
const rememberFreeLeases = 10

export interface SharingDeps {
  workerId: string
  table: WorkerTable
  leases: Pick<Leases, 'holder'>
  owned: Pick<Ownership, 'has' | 'shares' | 'leave'>
  clock: Clock
  logger: Logger
  leaseMs: number
  /** Reads a collection that another worker owns. */
  read(collectionId: string, signal: AbortSignal): Promise<ReadAhead | undefined>
  notify(notification: HandOverNotification): void
}

export function createSharing(deps: SharingDeps) {
  const { workerId, table, leases, owned, clock, logger, leaseMs, notify } = deps
  /** undefined: never read, or Redis did not answer last time. */
  let others: IndexWorkerEntry[] | undefined
  let isStopping = false
  let wasInTable = false
  /** Until then only leases that are held are renewed. */
  let takesFromMs = -Infinity
  const freeSinceMs = new Map<string, number>()

  const taking = createTaking({
    ...deps,
    keepMs: leaseMs,
    onReady(from) {
      void turn().then(() => notify({ to: from }))
    }
  })
  const giving = createGiving({
    owned,
    clock,
    logger,
    everyMs: leaseMs,
    async isReady(to, collectionId) {
      await turn()
      const heir = others?.find((one) => one.workerId === to)
      return heir?.isStopping === false && heir.ready.includes(collectionId)
    },
    onGiven: () => void turn()
  })

  /** The own entry as it was told last. */
  let told: IndexWorkerEntry | undefined
  const entry = (): IndexWorkerEntry => ({
    workerId,
    load: owned.shares().reduce((sum, { load }) => sum + load, taking.load()),
    isStopping,
    offers: giving.offers(),
    ready: taking.ready()
  })

  async function exchange(): Promise<void> {
    told = entry()
    const answer = await table.exchange(told)
    ;({ others } = answer)
    // Redis was emptied, or this worker stood still: the owners get time to renew their leases.
    if (wasInTable && !answer.isKnown) takesFromMs = clock.nowMs() + leaseMs / 2
    wasInTable = true
  }

  function forgetFree(): void {
    const beforeMs = clock.nowMs() - rememberFreeLeases * leaseMs
    for (const [collectionId, sinceMs] of freeSinceMs)
      if (sinceMs < beforeMs) freeSinceMs.delete(collectionId)
  }

  const mutex = createMutex()
  let waiting: Promise<void> | undefined
  /** Tells of this worker, reads about the others, and acts on it. Never rejects. */
  function turn(): Promise<void> {
    return (waiting ??= mutex.run(async () => {
      waiting = undefined
      try {
        await exchange()
        taking.turn(others!, isStopping)
        const offeredTo = giving.turn(entry(), others!)
        forgetFree()
        if (offeredTo.length === 0) return
        await exchange()
        for (const to of new Set(offeredTo)) notify({ to })
      } catch (error) {
        others = undefined
        logger.debug({ err: error }, 'the table of index-workers was not read')
      }
    }))
  }

  return {
    turn,
    get isStopping(): boolean {
      return isStopping
    },
    /** The worker that should try a collection that fails here. */
    heirOf: (collectionId: string): string | undefined => heirOf(collectionId, others ?? []),
    take: taking.take,
    /**
     * Whether this worker should ask for the lease of a collection that it does not own. A free lease
     * is left to the worker that the hash names, for half the time of a lease. Alone, and without a
     * table, this worker asks at once. Rejects when Redis does not answer.
     */
    async mayTake(collectionId: string): Promise<boolean> {
      const nowMs = clock.nowMs()
      if (isStopping || nowMs < takesFromMs) return false
      if (others === undefined || others.length === 0) return true
      const holder = await leases.holder(collectionId)
      if (holder !== 'nobody') freeSinceMs.delete(collectionId)
      if (holder !== 'nobody') return holder === 'me'
      // By what all workers know of this one: else each would find that the next one should have it.
      if (heirOf(collectionId, [told!, ...others]) === workerId) return true
      const sinceMs = freeSinceMs.get(collectionId) ?? nowMs
      freeSinceMs.set(collectionId, sinceMs)
      return nowMs - sinceMs >= leaseMs / 2
    },
    /** Gives everything away that another worker takes in that time, and takes nothing more. */
    async giveAll(withinMs: number): Promise<void> {
      isStopping = true
      const untilMs = clock.nowMs() + withinMs
      const isDone = (): boolean =>
        (others?.every((one) => one.isStopping) ?? true) ||
        owned.shares().length === 0 ||
        clock.nowMs() >= untilMs
      const look = async (): Promise<void> => {
        for (await turn(); !isDone(); await turn()) await clock.sleep(lookEveryMs)
      }
      // A Redis that hangs does not keep the process.
      await Promise.race([look(), clock.sleep(withinMs)])
    }
  }
}
export type Sharing = ReturnType<typeof createSharing>
