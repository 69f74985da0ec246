// Several index-workers over one Redis and one store, in simulated time: leases, the table of
// workers and notifications in memory, writers that commit every 100 ms. Any call of a worker can be
// held, and a worker can die.
import type { ReadAhead } from '@likeness/engine'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { HandOverNotification, IndexWorkerEntry } from '@likeness/shared/contract/work'
import { appError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createTroubles } from '@likeness/shared/process/troubles'
import { createCollections } from '../collections.ts'
import type { Leases } from '../lease.ts'
import type { Holding } from '../ownership.ts'
import type { WorkerTable } from '../sharing/worker-table.ts'

export const leaseMs = 10_000
const stepMs = 100

/** Calls of a worker that a test can hold. */
type Call = 'exchange' | 'hold' | 'give' | 'read' | 'step' | 'drain' | 'open'

interface StoredCollection {
  items: number
  epoch: number
  commits: { worker: string; atMs: number }[]
}

function createGate() {
  let open: () => void
  const opened = new Promise<void>((resolve) => (open = resolve))
  return { opened, open: () => open() }
}

const settled = async (): Promise<void> => {
  for (let i = 0; i < 3; i++) await new Promise((resolve) => setImmediate(resolve))
}

function createTime() {
  const time = { nowMs: 1_000_000 }
  let timers: { atMs: number; run: () => void }[] = []
  const clock: Clock = {
    nowMs: () => time.nowMs,
    sleep: (ms) => new Promise((run) => timers.push({ atMs: time.nowMs + ms, run }))
  }
  return {
    clock,
    async pass(ms: number): Promise<void> {
      const untilMs = time.nowMs + ms
      for (;;) {
        await settled()
        timers.sort((a, b) => a.atMs - b.atMs)
        const [next] = timers
        if (next === undefined || next.atMs > untilMs) break
        timers = timers.slice(1)
        time.nowMs = Math.max(time.nowMs, next.atMs)
        next.run()
      }
      time.nowMs = untilMs
    }
  }
}

export type World = ReturnType<typeof createWorld>

export function createWorld() {
  const { clock, pass } = createTime()
  const stored = new Map<string, StoredCollection>()
  const leases = new Map<string, { holder: string; untilMs: number }>()
  const table = new Map<string, { atMs: number; entry: IndexWorkerEntry }>()
  const listeners: ((notification: HandOverNotification) => void)[] = []
  const world = { isRedisAway: false, losesNotifications: false }

  function askRedis(): void {
    if (world.isRedisAway) throw new Error('Redis is away')
  }
  function leaseOf(collectionId: string): string | undefined {
    const lease = leases.get(collectionId)
    return lease !== undefined && lease.untilMs > clock.nowMs() ? lease.holder : undefined
  }
  const setLease = (collectionId: string, holder: string): void =>
    void leases.set(collectionId, { holder, untilMs: clock.nowMs() + leaseMs })

  const leasesOf = (worker: string, pause: (call: Call) => Promise<void>): Leases => ({
    async hold(collectionId) {
      await pause('hold')
      askRedis()
      if ((leaseOf(collectionId) ?? worker) !== worker) return false
      setLease(collectionId, worker)
      return true
    },
    async holder(collectionId) {
      askRedis()
      const holder = leaseOf(collectionId)
      if (holder === undefined) return 'nobody'
      return holder === worker ? 'me' : 'another'
    },
    async give(collectionId, to) {
      await pause('give')
      askRedis()
      if (leaseOf(collectionId) !== worker) return false
      setLease(collectionId, to)
      return true
    },
    async release(collectionId) {
      askRedis()
      if (leaseOf(collectionId) === worker) leases.delete(collectionId)
    }
  })
  const tableOf = (worker: string, pause: (call: Call) => Promise<void>): WorkerTable => ({
    async exchange(own) {
      await pause('exchange')
      askRedis()
      const isKnown = table.has(worker)
      table.set(worker, { atMs: clock.nowMs(), entry: structuredClone(own) })
      for (const [id, { atMs }] of table) if (clock.nowMs() - atMs > leaseMs) table.delete(id)
      const others = [...table].filter(([id]) => id !== worker).map(([, { entry }]) => entry)
      return { others: structuredClone(others), isKnown }
    },
    leave: async () => void table.delete(worker)
  })

  /** Starts a worker whose reviews come by themselves. */
  function start(name: string) {
    const held = new Map<Call | 'all', Promise<void>>()
    const late: HandOverNotification[] = []
    const life = {
      isDead: false,
      failsToOwn: undefined as Error | undefined,
      opensForMs: 0,
      reads: 0
    }
    const troubles = createTroubles({ clock, logger: silentLogger() })
    const pause = async (call: Call): Promise<void> => {
      await held.get(call)
      await held.get('all')
      if (life.isDead) await new Promise(() => undefined)
    }

    async function own(collectionId: string, holding: Holding): Promise<void> {
      const { signal, leave, opened, worked } = holding
      await pause('open')
      if (life.opensForMs > 0) await clock.sleep(life.opensForMs)
      if (life.failsToOwn !== undefined) throw life.failsToOwn
      const collection = stored.get(collectionId)!
      const epoch = ++collection.epoch
      opened(() => ({ items: collection.items, isRemaking: false }))
      while (!signal.aborted && !leave.aborted) {
        await pause('step')
        if (collection.epoch !== epoch) throw appError('ownership_lost', 'another epoch')
        collection.commits.push({ worker: name, atMs: clock.nowMs() })
        worked()
        await clock.sleep(stepMs)
      }
      const drained = pause('drain')
      const stopped = new Promise((resolve) => signal.addEventListener('abort', resolve))
      if (!signal.aborted) await Promise.race([drained, stopped])
    }
    const collections = createCollections({
      workerId: name,
      catalog: {
        read: async () => ({
          live: [...stored.keys()].map((collectionId) => ({ collectionId }) as CollectionSpec),
          damaged: []
        }),
        changed: () => undefined,
        listed: (collectionId) => ({ collectionId }) as CollectionSpec
      },
      leases: leasesOf(name, pause),
      table: tableOf(name, pause),
      clock,
      logger: silentLogger(),
      troubles,
      leaseMs,
      own,
      async read(collectionId): Promise<ReadAhead> {
        life.reads++
        await pause('read')
        const { items } = stored.get(collectionId)!
        return { items, files: {} as ReadAhead['files'], clear: () => undefined }
      },
      notify(notification: HandOverNotification) {
        if (world.losesNotifications || life.isDead) return
        for (const hear of listeners) hear(notification)
      }
    })
    const worker = {
      name,
      life,
      troubles,
      collections,
      hear(notification: HandOverNotification): void {
        if (held.has('all')) late.push(notification)
        else if (!life.isDead) collections.heard(notification)
      },
      /** Holds one kind of calls, or the whole process, until the returned function is called. */
      hold(call: Call | 'all'): () => void {
        const { opened, open } = createGate()
        held.set(call, opened)
        return () => {
          held.delete(call)
          open()
          for (const notification of late.splice(0)) worker.hear(notification)
        }
      },
      /** As a SIGKILL. */
      die(): void {
        life.isDead = true
      },
      /** As a SIGTERM. */
      async end(): Promise<void> {
        await collections.giveAll(7_000)
        await collections.close()
        life.isDead = true
      }
    }
    listeners.push((notification) => worker.hear(notification))
    void (async () => {
      while (!life.isDead) {
        await collections.review()
        await clock.sleep(leaseMs / 4)
      }
    })()
    return worker
  }

  return {
    clock,
    pass,
    stored,
    table,
    world,
    start,
    add(collectionId: string, items = 0): void {
      stored.set(collectionId, { items, epoch: 0, commits: [] })
    },
    /** FLUSHALL. */
    flush(): void {
      leases.clear()
      table.clear()
    },
    leaseOf,
    takeLease: setLease,
    /** Workers that committed in the last second, by collection. */
    owners: (): Record<string, string[]> =>
      Object.fromEntries(
        [...stored].map(([id, { commits }]) => [
          id,
          [
            ...new Set(
              commits.filter(({ atMs }) => atMs > clock.nowMs() - 1_000).map(({ worker }) => worker)
            )
          ]
        ])
      ),
    /** Longest time without a commit of a collection, from a time on. */
    longestPauseMs(collectionId: string, fromMs: number): number {
      const times = stored.get(collectionId)!.commits.map(({ atMs }) => atMs)
      const later = [fromMs, ...times.filter((atMs) => atMs >= fromMs), clock.nowMs()]
      return Math.max(...later.slice(1).map((atMs, i) => atMs - later[i]!))
    }
  }
}
