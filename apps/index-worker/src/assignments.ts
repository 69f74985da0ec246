// Shares out the collections: holds leases, opens a writer for each held one, and lets go when the lease or the ownership is lost.
import type { Catalog } from '@likeness/engine'
import { createMutex } from '@likeness/shared/data/mutex'
import { isAppError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Leases } from './lease.ts'

export interface AssignmentDeps {
  catalog: Catalog
  leases: Leases
  clock: Clock
  logger: Logger
  /** Owns a collection until the signal says stop; resolves when it is let go. */
  own(collectionId: string, signal: AbortSignal): Promise<void>
}

/** A collection whose owner failed is left alone for this long; longer when somebody has to repair it first. */
const backOffMs = 2_000
const damagedBackOffMs = 30_000

export function createAssignments(deps: AssignmentDeps) {
  const { catalog, leases, clock, logger } = deps
  const owned = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  /** Owners that failed. */
  const failed = new Map<string, { atMs: number; waitMs: number }>()

  async function own(collectionId: string, signal: AbortSignal): Promise<void> {
    try {
      await deps.own(collectionId, signal)
    } catch (error) {
      const damaged = isAppError(error, 'data_corrupt')
      failed.set(collectionId, {
        atMs: clock.nowMs(),
        waitMs: damaged ? damagedBackOffMs : backOffMs
      })
      if (damaged)
        logger.error(
          { err: error, collectionId },
          'stored data is damaged, the collection stands still until it is repaired'
        )
      else if (isAppError(error, 'ownership_lost')) logger.warn({ collectionId }, 'ownership lost')
      else logger.error({ err: error, collectionId }, 'owner failed, starting again')
    } finally {
      owned.delete(collectionId)
      await leases
        .release(collectionId)
        .catch((error: unknown) =>
          logger.debug({ err: error, collectionId }, 'lease left to expire')
        )
    }
  }

  /** Whether to own a collection; when Redis cannot be asked, things stay as they are. */
  async function holds(collectionId: string): Promise<boolean> {
    try {
      return await leases.hold(collectionId)
    } catch (error) {
      logger.debug({ err: error, collectionId }, 'lease not asked')
      return owned.has(collectionId)
    }
  }

  const isLeftAlone = (collectionId: string): boolean => {
    const { atMs, waitMs } = failed.get(collectionId) ?? { atMs: 0, waitMs: 0 }
    return clock.nowMs() < atMs + waitMs
  }

  const mutex = createMutex()
  return {
    /** Every collection once: called a few times per lease. One review at a time, or two would open the same collection. */
    review: () => mutex.run(review),
    /** There is work for it, maybe the request to repair it: the next review looks again. */
    notified(collectionId: string): void {
      const failure = failed.get(collectionId)
      if (failure !== undefined) failure.waitMs = backOffMs
    },
    async close(): Promise<void> {
      const all = [...owned.values()]
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ ended }) => ended))
    }
  }

  async function review(): Promise<void> {
    const live = new Set(
      (await catalog.list({ fresh: true })).map(({ collectionId }) => collectionId)
    )
    for (const [collectionId, { stop }] of owned) if (!live.has(collectionId)) stop.abort()
    for (const collectionId of live) {
      const mine = owned.get(collectionId)
      if (mine === undefined && isLeftAlone(collectionId)) continue
      const held = await holds(collectionId)
      if (!held) mine?.stop.abort()
      else if (mine === undefined) {
        const stop = new AbortController()
        owned.set(collectionId, { stop, ended: own(collectionId, stop.signal) })
      }
    }
  }
}
