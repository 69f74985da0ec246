// The collections that this worker owns: opens a writer for each, and passes the lease on when the
// writer ends: to the heir of a hand-over, to another worker after failures, or to whoever comes.
import type { ReadAhead } from '@likeness/engine'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'
import type { createFailures } from './failures.ts'
import type { Leases } from './lease.ts'
import { loadOf, type Share } from './sharing/share-plan.ts'

/** What the writer of an owned collection is told, and tells. */
export interface Holding {
  /** The writer ends after its step. */
  signal: AbortSignal
  /** The writer starts no work beside the steps, and ends when none is under way. */
  leave: AbortSignal
  /** What was read before the lease came. */
  ahead: ReadAhead | undefined
  /** The writer is open. `facts` may be asked until it ends. */
  opened(facts: () => OwnedFacts): void
  /** A turn went well. */
  worked(): void
}
interface OwnedFacts {
  items: number
  /** Hours of work would be lost with the writer. */
  isRemaking: boolean
}
export interface Leaving {
  to: string
  /** Time for work beside the steps to end. */
  withinMs: number
  /** Whether the heir still waits for the lease. */
  isReady(): Promise<boolean>
  given(): void
}
export interface OwnedShare extends Share {
  /** Whether the collection can be given away for the sake of balance. */
  isFree: boolean
}

export interface OwnershipDeps {
  leases: Pick<Leases, 'give' | 'release'>
  clock: Clock
  logger: Logger
  troubles: Pick<Troubles, 'report' | 'end'>
  failures: ReturnType<typeof createFailures>
  /** Runs the writer of a collection. Resolves when the collection is released. */
  own(collectionId: string, holding: Holding): Promise<void>
  /** The worker that should try a collection that fails here. */
  heirOf(collectionId: string): string | undefined
  /** Tells a worker that it has the lease of a collection now. */
  tell(to: string, collectionId: string): void
  /** The heir was not ready any more: this worker still has the lease, and no writer. */
  onKept(collectionId: string): void
}

interface Owned {
  stop: AbortController
  leave: AbortController
  leaving?: Leaving
  facts?: () => OwnedFacts
  ended: Promise<void>
}

/** Kept: the lease is still here, and no writer. */
type PassedOn = 'given' | 'released' | 'kept'

/** Key of the trouble of a collection that this worker should write and cannot. */
export const ownTrouble = (collectionId: string): string => `own ${collectionId}`

export function createOwnership(deps: OwnershipDeps) {
  const { leases, clock, logger, troubles, failures } = deps
  const owned = new Map<string, Owned>()
  let isClosed = false

  /** Returns whether the writer ended without an error. */
  async function runOwner(collectionId: string, holding: Holding): Promise<boolean> {
    try {
      await deps.own(collectionId, holding)
      return true
    } catch (error) {
      failures.failed(collectionId, error)
      if (isAppError(error, 'ownership_lost')) logger.warn({ collectionId }, 'ownership lost')
      else
        troubles.report(ownTrouble(collectionId), {
          error,
          collectionId,
          stands: true,
          message: isAppError(error, 'data_corrupt')
            ? 'stored data is damaged, the collection stands still until it is repaired'
            : 'owner failed, starting again'
        })
      return false
    }
  }

  async function give(collectionId: string, heir: string): Promise<PassedOn> {
    if (!(await leases.give(collectionId, heir))) return 'released'
    deps.tell(heir, collectionId)
    return 'given'
  }

  /** Where Redis does not answer, this worker goes on: at worst two believe that they are the owner. */
  async function handOn(collectionId: string, { to, isReady }: Leaving): Promise<PassedOn> {
    try {
      if (!(await isReady())) return 'kept'
      const passed = await give(collectionId, to)
      logger.info({ collectionId, to, passed }, 'handed over')
      return passed
    } catch (error) {
      logger.debug({ err: error, collectionId }, 'lease not moved')
      return 'kept'
    }
  }

  /** Gives the lease of a collection that fails here to another worker, or leaves it to any. */
  async function letGo(collectionId: string, isWell: boolean): Promise<PassedOn> {
    const heir = isWell ? undefined : heirAfterFailures(collectionId)
    try {
      if (heir !== undefined) {
        logger.warn({ collectionId, to: heir }, 'fails here, given to another worker')
        return await give(collectionId, heir)
      }
      await leases.release(collectionId)
    } catch (error) {
      logger.debug({ err: error, collectionId }, 'lease left to expire')
    }
    return 'released'
  }

  function heirAfterFailures(collectionId: string): string | undefined {
    const heir = deps.heirOf(collectionId)
    return heir !== undefined && failures.isToGive(collectionId) ? heir : undefined
  }

  async function run(collectionId: string, entry: Owned, holding: Holding): Promise<void> {
    const isWell = await runOwner(collectionId, holding)
    const { leaving } = entry
    const passed =
      isWell && leaving !== undefined
        ? await handOn(collectionId, leaving)
        : await letGo(collectionId, isWell)
    owned.delete(collectionId)
    if (passed === 'given') leaving?.given()
    if (passed === 'kept') deps.onKept(collectionId)
  }

  return {
    has: (collectionId: string): boolean => owned.has(collectionId),
    ids: (): string[] => [...owned.keys()],
    /** Call this when the lease is held. Does nothing where the collection is owned. */
    start(collectionId: string, ahead?: ReadAhead): void {
      if (isClosed || owned.has(collectionId)) return
      const [stop, leave] = [new AbortController(), new AbortController()]
      const entry: Owned = { stop, leave, ended: Promise.resolve() }
      owned.set(collectionId, entry)
      entry.ended = run(collectionId, entry, {
        signal: stop.signal,
        leave: leave.signal,
        ahead,
        opened: (facts) => void (entry.facts = facts),
        worked() {
          failures.worked(collectionId)
          troubles.end(ownTrouble(collectionId))
        }
      })
    },
    /** The lease is lost, or the collection is gone: nothing is handed over any more. */
    stop(collectionId: string): void {
      const entry = owned.get(collectionId)
      if (entry === undefined) return
      delete entry.leaving
      entry.stop.abort()
    },
    /** Ends the writer of an owned collection, and then moves the lease. */
    leave(collectionId: string, leaving: Leaving): void {
      const entry = owned.get(collectionId)
      if (entry === undefined) return
      entry.leaving = leaving
      entry.leave.abort()
      void clock.sleep(leaving.withinMs).then(() => entry.stop.abort())
    },
    shares: (): OwnedShare[] =>
      [...owned].map(([collectionId, { facts, leaving, stop }]) => {
        const known = facts?.()
        const isFree = known?.isRemaking === false && leaving === undefined && !stop.signal.aborted
        return { collectionId, load: loadOf(known?.items ?? 0), isFree }
      }),
    /** Ends all writers. */
    async close(): Promise<void> {
      isClosed = true
      const all = [...owned.values()]
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ ended }) => ended))
    }
  }
}
export type Ownership = ReturnType<typeof createOwnership>
