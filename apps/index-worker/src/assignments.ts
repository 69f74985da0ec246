// Shares out the collections: holds leases, opens a writer for each held collection, and closes the
// writer when the lease is lost or another writer takes over.
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
  /**
   * Runs the writer of a collection until the signal aborts. Resolves when the collection is
   * released.
   */
  own(collectionId: string, signal: AbortSignal): Promise<void>
}

/**
 * Pause in milliseconds after a failed writer; longer when the collection must be repaired first.
 */
const backOffMs = 2_000
const damagedBackOffMs = 30_000

export function createAssignments(deps: AssignmentDeps) {
  const { catalog, leases, clock, logger } = deps
  const owned = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  /** Collections whose writer failed. */
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

  /**
   * Returns true when this worker should write a collection. When Redis does not answer, the
   * current state stays.
   */
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
    /**
     * Checks every collection once; called a few times per lease. Reviews run one after another,
     * because two reviews would open the same collection.
     */
    review: () => mutex.run(review),
    /**
     * Shortens the pause of a failed collection: there is new work, maybe the request to repair it.
     */
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
