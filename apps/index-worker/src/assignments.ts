// Decides which collections this worker owns: holds leases, takes those that it should have, and
// stops a writer when the lease is lost or the collection is gone.
import { createMutex } from '@likeness/shared/data/mutex'
import { appError, messageOf } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { Troubles } from '@likeness/shared/process/troubles'
import type { DamagedName } from '@likeness/engine/catalog-contract'
import type { CatalogWatch } from './catalog-watch.ts'
import type { createFailures } from './failures.ts'
import type { Leases } from './lease.ts'
import { type Ownership, ownTrouble } from './ownership.ts'
import type { Sharing } from './sharing/sharing.ts'

export interface AssignmentDeps {
  catalog: Pick<CatalogWatch, 'read' | 'changed' | 'listed'>
  leases: Pick<Leases, 'hold' | 'release'>
  logger: Logger
  troubles: Pick<Troubles, 'report' | 'end'>
  failures: ReturnType<typeof createFailures>
  owned: Pick<Ownership, 'has' | 'ids' | 'start' | 'stop'>
  sharing: Pick<Sharing, 'turn' | 'mayTake' | 'take' | 'isStopping'>
}

/** Longer than the pause between two readings of all names. */
const damagedNameMs = 300_000

export function createAssignments(deps: AssignmentDeps) {
  const { catalog, leases, logger, troubles, failures, owned, sharing } = deps

  function leaseFailed(error: unknown): void {
    troubles.report('leases', {
      error: appError(
        'queue_unavailable',
        `Redis gives no lease, so new collections wait: ${messageOf(error)}`,
        { cause: error }
      ),
      message: 'Redis gives no lease, trying again'
    })
  }

  /**
   * Returns true when this worker should write a collection. When Redis does not answer, the
   * current state stays.
   */
  async function holds(collectionId: string): Promise<boolean> {
    try {
      const isMine = owned.has(collectionId) || (await sharing.mayTake(collectionId))
      const held = isMine && (await leases.hold(collectionId))
      troubles.end('leases')
      return held
    } catch (error) {
      logger.debug({ err: error, collectionId }, 'lease not asked')
      if (owned.has(collectionId)) return true
      leaseFailed(error)
      return false
    }
  }

  /** Owns the collection from now on, or no longer. */
  function settle(collectionId: string, held: boolean): void {
    if (held && owned.has(collectionId)) return
    if (held) return owned.start(collectionId, sharing.take(collectionId))
    owned.stop(collectionId)
    // Another worker has the collection, and tells its own troubles.
    troubles.end(ownTrouble(collectionId))
  }

  function forget(collectionId: string): void {
    failures.forget(collectionId)
    troubles.end(ownTrouble(collectionId))
  }

  const mutex = createMutex()
  return {
    /** Checks every collection once; called a few times per lease. One review after another. */
    review: () => mutex.run(review),
    /**
     * This worker got the lease of a collection from another one, which writes no longer. Where Redis
     * does not answer, the other one is believed.
     */
    async given(collectionId: string): Promise<void> {
      if (sharing.isStopping) return await leases.release(collectionId)
      if (catalog.listed(collectionId) === undefined) catalog.changed()
      const held = await leases.hold(collectionId).catch(() => true)
      if (held) settle(collectionId, true)
    },
    /**
     * Shortens the pause of a failed collection: there is new work, maybe the request to repair it.
     * A collection that is not known yet is looked for in the next review: the notification of its
     * name may be lost.
     */
    notified(collectionId: string): void {
      if (catalog.listed(collectionId) === undefined) catalog.changed()
      failures.hurry(collectionId)
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
    await sharing.turn()
    const { live: listed, damaged } = await catalog.read()
    sayDamaged(damaged)
    const live = new Set(listed.map(({ collectionId }) => collectionId))
    for (const collectionId of owned.ids()) if (!live.has(collectionId)) owned.stop(collectionId)
    for (const collectionId of failures.ids()) if (!live.has(collectionId)) forget(collectionId)
    for (const collectionId of live) {
      if (!owned.has(collectionId) && failures.isLeftAlone(collectionId)) continue
      settle(collectionId, await holds(collectionId))
    }
  }
}
