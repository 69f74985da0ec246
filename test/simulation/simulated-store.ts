// Connection of one process to the simulated store. It is slow, sometimes refuses, and sometimes
// breaks after the write. Sometimes an abandoned write lands long after. Lists come in pages, and
// the store changes between the pages.
import { Readable } from 'node:stream'
import { appError } from '@likeness/shared/errors'
import { compareKeys } from '@likeness/store/object-key'
import type { ObjectInfo, ObjectStore } from '@likeness/store/object-store'
import type { ObjectTable, TableEntry } from './object-table.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'
import type { SimProcess } from './sim-process.ts'

export interface Faults {
  /** False at quiescence. */
  on: boolean
  /** Answers 500 before any effect. */
  refuse: number
  /** Connection reset: reads are lost, writes have happened. */
  reset: number
  /**
   * Writes only: the error comes now, and the write comes within `lateMs`. The condition of the
   * write is checked then.
   */
  late: number
  lateMs: number
  /** Probability of an answer that takes `slowMs` longer. */
  slow: number
  slowMs: number
}

export interface StoreWorld {
  scheduler: Scheduler
  random: Random
  table: ObjectTable
  faults: Faults
  /** Adds a line to the trace. Replays compare their traces. */
  trace(line: string): void
  happened: { lateWrites: number }
}

type Fate = 'answered' | 'refused' | 'reset' | 'late'

const unavailable = () => appError('store_unavailable', 'the simulated store lost the answer')

function drawFate({ random, faults }: StoreWorld, writes: boolean): Fate {
  const draw = random.next()
  if (!faults.on) return 'answered'
  if (draw < faults.refuse) return 'refused'
  if (draw < faults.refuse + faults.reset) return 'reset'
  return writes && draw < faults.refuse + faults.reset + faults.late ? 'late' : 'answered'
}

const info = (key: string, { body, etag }: TableEntry): ObjectInfo => ({
  key,
  etag,
  sizeBytes: body.byteLength,
  lastModifiedMs: 0
})

export function createSimulatedStore(world: StoreWorld, process: SimProcess): ObjectStore {
  const { scheduler, random, table, faults } = world

  function latencyMs(): number {
    const slow = random.next()
    return (
      random.between(0.5, 8) +
      (faults.on && slow < faults.slow ? random.between(0, faults.slowMs) : 0)
    )
  }

  function call<T>(name: string, key: string, writes: boolean, act: () => T): Promise<T> {
    return new Promise((resolve, reject) => {
      const fate = drawFate(world, writes)
      const [thereMs, backMs] = [latencyMs(), random.chance(0.5) ? 0 : latencyMs()]
      const back = (answer: () => void) =>
        backMs === 0 ? process.deliver(answer) : scheduler.at(backMs, () => process.deliver(answer))
      scheduler.at(thereMs, () => {
        world.trace(`${process.name} ${name} ${key} ${fate}`)
        if (fate === 'answered') {
          const value = act()
          return back(() => resolve(value))
        }
        if (fate === 'reset' && writes) act()
        if (fate === 'late')
          scheduler.at(random.between(0, faults.lateMs), () => {
            world.trace(`late ${name} ${key}`)
            world.happened.lateWrites++
            act()
          })
        back(() => reject(unavailable()))
      })
    })
  }

  const read = <T>(name: string, key: string, act: () => T) => call(name, key, false, act)
  const write = <T>(name: string, key: string, act: () => T) => call(name, key, true, act)

  return {
    kind: 'simulated',
    get: (key) => read('get', key, () => table.get(key)),
    getRange: (key, offset, length) =>
      read('getRange', key, () => table.get(key)?.body.subarray(offset, offset + length)),
    getStream: (key) =>
      read('getStream', key, () => {
        const entry = table.get(key)
        return entry && Readable.from([entry.body])
      }),
    head: (key) =>
      read('head', key, () => {
        const entry = table.get(key)
        return entry && info(key, entry)
      }),
    put(key, body) {
      const copy = Uint8Array.from(body)
      return write('put', key, () => table.put(key, copy))
    },
    putIf(key, body, condition) {
      const copy = Uint8Array.from(body)
      return write('putIf', key, () => table.putIf(key, copy, condition))
    },
    putStream: () => Promise.reject(new Error('the simulation streams nothing')),
    delete(keys) {
      const copy = [...keys]
      return write('delete', copy.join(), () => table.delete(copy))
    },
    async *list(prefix, { startAfter = '', before } = {}) {
      for (let after = startAfter; ; ) {
        const limit = 10 + random.below(40)
        const page = await read('list', prefix, () =>
          table.page(prefix, after, limit).map((key) => info(key, table.get(key)!))
        )
        for (const found of page) {
          if (before !== undefined && compareKeys(found.key, before) >= 0) return
          yield found
        }
        if (page.length < limit) return
        after = page[page.length - 1]!.key
      }
    },
    close: async () => undefined
  }
}
