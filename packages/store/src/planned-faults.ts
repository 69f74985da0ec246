// Faults of each operation of a faulty store, drawn from a seed and carried out.
import { seededRandom } from '@likeness/shared/data/random'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from './object-store.ts'

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
   * Writes only: the caller gets `store_unavailable` now, and the write happens within lateMs. The
   * condition of the write is checked then.
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

interface Plan {
  fault: 'none' | 'failBefore' | 'failAfter' | 'landLate'
  thereMs: number
  backMs: number
  lateMs: number
}

export function createRunner({ sleep, seed, rates, operationRates = {} }: FaultyStoreOptions) {
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

export function lost(operation: StoreOperation) {
  return appError(
    'store_unavailable',
    `The simulated object store lost the answer of ${operation}.`
  )
}
