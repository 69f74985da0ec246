// The taking side of hand-overs: reads offered collections ahead, and says when they are ready.
import type { ReadAhead } from '@likeness/engine'
import type { IndexWorkerEntry } from '@likeness/shared/contract/work'
import { createSemaphore } from '@likeness/shared/data/semaphore'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { Ownership } from '../ownership.ts'
import { loadOf } from './share-plan.ts'

const readsAtOnce = 4

interface Taking {
  from: string
  stop: AbortController
  ahead: ReadAhead | undefined
  offeredAtMs: number
}

export interface TakingDeps {
  workerId: string
  clock: Pick<Clock, 'nowMs'>
  logger: Logger
  owned: Pick<Ownership, 'has'>
  /** Time for which a collection is kept ready after its offer has gone: the lease may be here soon. */
  keepMs: number
  /** Returns undefined when the collection is gone. */
  read(collectionId: string, signal: AbortSignal): Promise<ReadAhead | undefined>
  onReady(from: string): void
}

export function createTaking(deps: TakingDeps) {
  const { workerId, owned, clock, logger, keepMs, read, onReady } = deps
  const takings = new Map<string, Taking>()
  const reads = createSemaphore(readsAtOnce)

  async function prepare(collectionId: string, taking: Taking): Promise<void> {
    const { signal } = taking.stop
    try {
      const ahead = await reads.run(async () =>
        signal.aborted ? undefined : await read(collectionId, signal)
      )
      if (ahead === undefined || signal.aborted) return
      taking.ahead = ahead
      onReady(taking.from)
    } catch (error) {
      // The other worker goes on, and offers it to somebody else after the deadline.
      if (!signal.aborted) logger.warn({ err: error, collectionId }, 'not ready for a hand-over')
    }
  }

  function remove(collectionId: string): Taking | undefined {
    const taking = takings.get(collectionId)
    takings.delete(collectionId)
    taking?.stop.abort()
    return taking
  }

  return {
    ready: (): string[] => [...takings].flatMap(([id, { ahead }]) => (ahead ? [id] : [])),
    /** Load that will be here soon. */
    load: (): number =>
      [...takings.values()].reduce((sum, { ahead }) => sum + loadOf(ahead?.items ?? 0), 0),
    turn(others: readonly IndexWorkerEntry[], isStopping: boolean): void {
      const nowMs = clock.nowMs()
      for (const { workerId: from, offers } of isStopping ? [] : others)
        for (const [collectionId, to] of Object.entries(offers)) {
          // The entry of the other worker may be from before the lease came.
          if (to !== workerId || owned.has(collectionId)) continue
          const known = takings.get(collectionId)
          if (known?.from === from) known.offeredAtMs = nowMs
          else {
            remove(collectionId)
            const stop = new AbortController()
            const taking: Taking = { from, stop, ahead: undefined, offeredAtMs: nowMs }
            takings.set(collectionId, taking)
            void prepare(collectionId, taking)
          }
        }
      for (const [collectionId, { offeredAtMs }] of takings)
        if (isStopping || nowMs - offeredAtMs > keepMs) remove(collectionId)
    },
    /** What was read of a collection whose lease is here now. */
    take: (collectionId: string): ReadAhead | undefined => remove(collectionId)?.ahead
  }
}
