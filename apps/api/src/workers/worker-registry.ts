// The workers that live, and what they and this process cannot do now. Workers tell it over pub/sub
// every second. The last known state stays while Redis is away.
import { maxKnownWorkers } from '@likeness/shared/contract/limits'
import { type Presence, presenceSchema, silentAfterMs } from '@likeness/shared/contract/presence'
import type { Clock } from '@likeness/shared/process/clock'
import type { Trouble, Troubles } from '@likeness/shared/process/troubles'

export type WorkerApp = Presence['app']
export interface ProcessTrouble extends Trouble {
  process: WorkerApp | 'api'
  /** null: this api process. */
  workerId: string | null
}
export interface LivingWorker {
  workerId: string
  heardMs: number
  troubles: readonly Trouble[]
}
export interface Workers {
  alive(app: WorkerApp): LivingWorker[]
  /** False until this process has listened long enough to know who lives. */
  isKnown(): boolean
  /**
   * Troubles of this process and of all living workers. With a collection: its own, and those that
   * concern all collections.
   */
  troubles(collectionId?: string): ProcessTrouble[]
}
export interface WorkerRegistry extends Workers {
  /** Takes a message of a worker; ignores one of another version of the program. */
  hear(text: string): Presence | undefined
  /** Tells whether messages reach this process. */
  listening(isOn: boolean): void
}

/** Workers tell every second. */
const settledAfterMs = 3_000

function parsePresence(text: string): Presence | undefined {
  try {
    return presenceSchema.parse(JSON.parse(text))
  } catch {
    return undefined
  }
}

export function createWorkerRegistry({
  clock,
  own
}: {
  clock: Pick<Clock, 'nowMs'>
  own: Pick<Troubles, 'list'>
}): WorkerRegistry {
  const workers = new Map<string, { presence: Presence; heardMs: number }>()
  let listeningSinceMs: number | undefined

  /** After a pause, silent workers get the time to be heard again. */
  function isAlive(heardMs: number): boolean {
    if (listeningSinceMs === undefined) return true
    return clock.nowMs() - Math.max(heardMs, listeningSinceMs) <= silentAfterMs
  }
  const living = () => [...workers.values()].filter(({ heardMs }) => isAlive(heardMs))

  function dropSilent(): void {
    for (const [id, { heardMs }] of workers) if (!isAlive(heardMs)) workers.delete(id)
  }

  return {
    hear(text) {
      const presence = parsePresence(text)
      if (presence === undefined) return undefined
      const { workerId } = presence
      dropSilent()
      if (presence.gone === true) workers.delete(workerId)
      else if (workers.has(workerId) || workers.size < maxKnownWorkers)
        workers.set(workerId, { presence, heardMs: clock.nowMs() })
      return presence
    },
    listening(isOn) {
      listeningSinceMs = isOn ? clock.nowMs() : undefined
    },
    isKnown: () =>
      listeningSinceMs !== undefined && clock.nowMs() - listeningSinceMs >= settledAfterMs,
    alive: (app) =>
      living()
        .filter(({ presence }) => presence.app === app)
        .map(({ presence: { workerId, troubles }, heardMs }) => ({ workerId, heardMs, troubles })),
    troubles(collectionId) {
      const all: ProcessTrouble[] = [
        ...own.list().map((one) => ({ ...one, process: 'api' as const, workerId: null })),
        ...living().flatMap(({ presence: { app, workerId, troubles } }) =>
          troubles.map((one) => ({ ...one, process: app, workerId }))
        )
      ]
      return collectionId === undefined
        ? all
        : all.filter((one) => (one.collectionId ?? collectionId) === collectionId)
    }
  }
}
