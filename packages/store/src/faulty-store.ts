// An object store with faults of real stores, drawn from a seed: slow answers, failures before and
// after the write, and writes that land long after their error. For simulations over a store
// without faults.
import { Readable } from 'node:stream'
import { seededRandom } from '@likeness/shared/data/random'
import { appError } from '@likeness/shared/errors'
import { checkKey, checkPrefix } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { checkConditionalSize, checkRange, streamTooLarge } from './store-failure.ts'

export type StoreOperation =
  | 'get'
  | 'getRange'
  | 'getStream'
  | 'head'
  | 'put'
  | 'putIf'
  | 'putStream'
  | 'list'
  | 'delete'

/**
 * Probabilities in [0, 1], drawn once per call in this order. Times are in milliseconds of the
 * given clock.
 */
export interface FaultRates {
  /** The operation does not happen and the caller gets `store_unavailable`. */
  failBefore: number
  /** The operation happens and the caller gets `store_unavailable`. */
  failAfter: number
  /**
   * Writes only: the caller gets `store_unavailable` now, and the write happens within lateMs. Its
   * condition is checked then.
   */
  landLate: number
  /** Longest time on the way to the store, and again on the way back. */
  latencyMs: number
  lateMs: number
}

export interface FaultyStoreOptions {
  inner: ObjectStore
  seed: number
  sleep: (ms: number) => Promise<void>
  rates: Partial<FaultRates>
  /** Rates that replace `rates` for some operations. */
  operationRates?: Partial<Record<StoreOperation, Partial<FaultRates>>>
}

export interface FaultyStore extends ObjectStore {
  /**
   * Number of injected faults of each kind. A simulation without faults does not prove anything.
   */
  readonly injected: Readonly<Record<'failBefore' | 'failAfter' | 'landLate', number>>
  /** Stops new faults and latency from now on, or starts them again. */
  calm(isCalm: boolean): void
  /** Resolves when every late write has landed. Rejects with the first error. */
  landed(): Promise<void>
}

interface Plan {
  fault: 'none' | 'failBefore' | 'failAfter' | 'landLate'
  thereMs: number
  backMs: number
  lateMs: number
}

export function createFaultyStore(options: FaultyStoreOptions): FaultyStore {
  const { inner, sleep } = options
  const runner = createRunner(options)
  const { read, write } = runner
  return {
    kind: inner.kind,
    injected: runner.injected,
    calm: runner.calm,
    landed: runner.landed,
    get: (key) =>
      read(
        'get',
        () => checkKey(key),
        () => inner.get(key)
      ),
    getRange: (key, offset, length) => {
      const check = () => (checkKey(key), checkRange(offset, length))
      return read('getRange', check, () => inner.getRange(key, offset, length))
    },
    getStream: (key) =>
      read(
        'getStream',
        () => checkKey(key),
        () => inner.getStream(key)
      ),
    head: (key) =>
      read(
        'head',
        () => checkKey(key),
        () => inner.head(key)
      ),
    put(key, body) {
      const copy = Uint8Array.from(body)
      return write(
        'put',
        () => checkKey(key),
        () => inner.put(key, copy)
      )
    },
    putIf(key, body, condition) {
      const copy = Uint8Array.from(body)
      const check = () => (checkKey(key), checkConditionalSize(key, body))
      return write('putIf', check, () => inner.putIf(key, copy, condition))
    },
    async putStream(key, body, { maxBytes }) {
      // Read at once: a late write has no caller left to read from.
      const whole = await collect(key, body, maxBytes)
      const source = () =>
        Readable.from(whole.byteLength === 0 ? [] : [whole], { objectMode: false })
      return write(
        'putStream',
        () => checkKey(key),
        () => inner.putStream(key, source(), { maxBytes })
      )
    },
    delete(keys) {
      const copy = [...keys]
      return write(
        'delete',
        () => copy.forEach(checkKey),
        () => inner.delete(copy)
      )
    },
    async *list(prefix, listOptions) {
      checkPrefix(prefix)
      const plan = runner.plan('list')
      await sleep(plan.thereMs)
      if (plan.fault === 'failBefore') throw lost('list')
      // The answer is lost at some page: after as many keys as the milliseconds on the way back.
      let left = plan.fault === 'failAfter' ? Math.floor(plan.backMs) : Infinity
      for await (const info of inner.list(prefix, listOptions)) {
        if (left-- <= 0) throw lost('list')
        yield info
      }
    },
    close: () => inner.close()
  }
}

function createRunner({ sleep, seed, rates, operationRates = {} }: FaultyStoreOptions) {
  const random = seededRandom(seed)
  const injected = { failBefore: 0, failAfter: 0, landLate: 0 }
  let isCalm = false
  let late: Promise<unknown>[] = []

  /**
   * Always draws the same number of times, so that one rate does not shift the draws of the others.
   */
  function plan(operation: StoreOperation, canLandLate = false): Plan {
    const rate = { ...rates, ...operationRates[operation] }
    const [draw, there, back, lateness] = [random(), random(), random(), random()]
    if (isCalm) return { fault: 'none', thereMs: 0, backMs: 0, lateMs: 0 }
    const before = rate.failBefore ?? 0
    const after = before + (rate.failAfter ?? 0)
    const landing = after + (canLandLate ? (rate.landLate ?? 0) : 0)
    const bounds = [
      ['failBefore', before],
      ['failAfter', after],
      ['landLate', landing]
    ] as const
    const fault = bounds.find(([, bound]) => draw < bound)?.[0] ?? 'none'
    if (fault !== 'none') injected[fault] += 1
    const latencyMs = rate.latencyMs ?? 0
    return {
      fault,
      thereMs: there * latencyMs,
      backMs: back * latencyMs,
      lateMs: lateness * (rate.lateMs ?? 0)
    }
  }

  async function act<T>(
    operation: StoreOperation,
    planned: Plan,
    run: () => Promise<T>
  ): Promise<T> {
    await sleep(planned.thereMs)
    if (planned.fault === 'failBefore') throw lost(operation)
    if (planned.fault === 'landLate') {
      late.push(sleep(planned.lateMs).then(run))
      await sleep(planned.backMs)
      throw lost(operation)
    }
    const result = await run()
    await sleep(planned.backMs)
    if (planned.fault === 'failAfter') throw lost(operation)
    return result
  }

  return {
    injected,
    plan,
    calm: (calm: boolean) => {
      isCalm = calm
    },
    async read<T>(operation: StoreOperation, check: () => void, run: () => Promise<T>): Promise<T> {
      check()
      return act(operation, plan(operation), run)
    },
    async write<T>(
      operation: StoreOperation,
      check: () => void,
      run: () => Promise<T>
    ): Promise<T> {
      check()
      return act(operation, plan(operation, true), run)
    },
    async landed(): Promise<void> {
      const landing = late
      late = []
      await Promise.all(landing)
    }
  }
}

async function collect(key: string, body: Readable, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of body as AsyncIterable<Buffer>) {
    sizeBytes += chunk.byteLength
    if (sizeBytes > maxBytes) throw streamTooLarge(key, maxBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function lost(operation: StoreOperation) {
  return appError(
    'store_unavailable',
    `The simulated object store lost the answer of ${operation}.`
  )
}
