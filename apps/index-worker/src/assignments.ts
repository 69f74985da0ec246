// Shares out the collections: holds leases, opens a writer for each held collection, and closes the
// writer when the lease is lost or another writer takes over.
import { createMutex } from '@likeness/shared/data/mutex'
import { appError, isAppError, messageOf } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'
import type { DamagedName } from '@likeness/engine/catalog-contract'
import type { CatalogWatch } from './catalog-watch.ts'
import type { Leases } from './lease.ts'

export interface AssignmentDeps {
  catalog: Pick<CatalogWatch, 'read' | 'changed' | 'listed'>
  leases: Leases
  clock: Clock
  logger: Logger
  troubles: Pick<Troubles, 'report' | 'end'>
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
/** Longer than the pause between two readings of all names. */
const damagedNameMs = 300_000

/** Key of the trouble of a collection that this worker should write and cannot. */
export const ownTrouble = (collectionId: string): string => `own ${collectionId}`

export function createAssignments(deps: AssignmentDeps) {
  const { catalog, leases, clock, logger, troubles } = deps
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
      if (isAppError(error, 'ownership_lost')) logger.warn({ collectionId }, 'ownership lost')
      else
        troubles.report(ownTrouble(collectionId), {
          error,
          collectionId,
          stands: true,
          message: damaged
            ? 'stored data is damaged, the collection stands still until it is repaired'
            : 'owner failed, starting again'
        })
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
      const held = await leases.hold(collectionId)
      troubles.end('leases')
      return held
    } catch (error) {
      logger.debug({ err: error, collectionId }, 'lease not asked')
      if (owned.has(collectionId)) return true
      troubles.report('leases', {
        error: appError(
          'queue_unavailable',
          `Redis gives no lease, so new collections wait: ${messageOf(error)}`,
          { cause: error }
        ),
        message: 'Redis gives no lease, trying again'
      })
      return false
    }
  }

  const isLeftAlone = (collectionId: string): boolean => {
    const { atMs, waitMs } = failed.get(collectionId) ?? { atMs: 0, waitMs: 0 }
    return clock.nowMs() < atMs + waitMs
  }

  function forget(collectionId: string): void {
    failed.delete(collectionId)
    troubles.end(ownTrouble(collectionId))
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
     * A collection that is not known yet is looked for in the next review: the notification of its
     * name may be lost.
     */
    notified(collectionId: string): void {
      if (catalog.listed(collectionId) === undefined) catalog.changed()
      const failure = failed.get(collectionId)
      if (failure !== undefined) failure.waitMs = backOffMs
    },
    async close(): Promise<void> {
      const all = [...owned.values()]
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ ended }) => ended))
    }
  }

  /** A collection whose name cannot be read gets no writer, unless it had one before. */
  function sayDamaged(damaged: readonly DamagedName[]): void {
    for (const { name, error } of damaged)
      troubles.report(`name ${name}`, {
        error,
        message: `the name ${name} cannot be read`,
        forgetMs: damagedNameMs
      })
  }

  async function review(): Promise<void> {
    const { live: listed, damaged } = await catalog.read()
    sayDamaged(damaged)
    const live = new Set(listed.map(({ collectionId }) => collectionId))
    for (const [collectionId, { stop }] of owned) if (!live.has(collectionId)) stop.abort()
    for (const collectionId of failed.keys()) if (!live.has(collectionId)) forget(collectionId)
    for (const collectionId of live) {
      const mine = owned.get(collectionId)
      if (mine === undefined && isLeftAlone(collectionId)) continue
      const held = await holds(collectionId)
      if (!held) {
        mine?.stop.abort()
        // Another worker has the collection, and tells its own troubles.
        forget(collectionId)
      } else if (mine === undefined) {
        const stop = new AbortController()
        owned.set(collectionId, { stop, ended: own(collectionId, stop.signal) })
      }
    }
  }
}
