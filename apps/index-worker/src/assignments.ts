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
  log: Logger
  /** Owns a collection until the signal says stop; resolves when it is let go. */
  own(incarnation: string, signal: AbortSignal): Promise<void>
}

/** A collection whose owner failed is left alone for this long; longer when somebody has to repair it first. */
const backOffMs = 2_000
const damagedBackOffMs = 30_000

export function createAssignments(deps: AssignmentDeps) {
  const { catalog, leases, clock, log } = deps
  const owned = new Map<string, { stop: AbortController; ended: Promise<void> }>()
  /** Owners that failed. */
  const failed = new Map<string, { atMs: number; waitMs: number }>()

  async function own(incarnation: string, signal: AbortSignal): Promise<void> {
    try {
      await deps.own(incarnation, signal)
    } catch (error) {
      const damaged = isAppError(error, 'data_corrupt')
      failed.set(incarnation, { atMs: clock.nowMs(), waitMs: damaged ? damagedBackOffMs : backOffMs })
      if (damaged) log.error({ err: error, incarnation }, 'stored data is damaged, the collection stands still until it is repaired')
      else if (isAppError(error, 'ownership_lost')) log.warn({ incarnation }, 'ownership lost')
      else log.error({ err: error, incarnation }, 'owner failed, starting again')
    } finally {
      owned.delete(incarnation)
      await leases.release(incarnation).catch((error: unknown) => log.debug({ err: error, incarnation }, 'lease left to expire'))
    }
  }

  /** Whether to own a collection; when Redis cannot be asked, things stay as they are. */
  async function holds(incarnation: string): Promise<boolean> {
    try {
      return await leases.hold(incarnation)
    } catch (error) {
      log.debug({ err: error, incarnation }, 'lease not asked')
      return owned.has(incarnation)
    }
  }

  const isLeftAlone = (incarnation: string): boolean => {
    const { atMs, waitMs } = failed.get(incarnation) ?? { atMs: 0, waitMs: 0 }
    return clock.nowMs() < atMs + waitMs
  }

  const mutex = createMutex()
  return {
    /** Every collection once: called a few times per lease. One review at a time, or two would open the same collection. */
    review: () => mutex.run(review),
    /** There is work for it, maybe the request to repair it: the next review looks again. */
    hinted(incarnation: string): void {
      const failure = failed.get(incarnation)
      if (failure !== undefined) failure.waitMs = backOffMs
    },
    async close(): Promise<void> {
      const all = [...owned.values()]
      for (const { stop } of all) stop.abort()
      await Promise.all(all.map(({ ended }) => ended))
    }
  }

  async function review(): Promise<void> {
    const live = new Set((await catalog.list({ fresh: true })).map(({ incarnation }) => incarnation))
    for (const [incarnation, { stop }] of owned) if (!live.has(incarnation)) stop.abort()
    for (const incarnation of live) {
      const mine = owned.get(incarnation)
      if (mine === undefined && isLeftAlone(incarnation)) continue
      const held = await holds(incarnation)
      if (!held) mine?.stop.abort()
      else if (mine === undefined) {
        const stop = new AbortController()
        owned.set(incarnation, { stop, ended: own(incarnation, stop.signal) })
      }
    }
  }
}
