import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { retryForRequest, retryStore } from './retry-store.ts'

function rig(failure: Error) {
  let [nowMs, calls] = [0, 0]
  return {
    clock: { nowMs: () => nowMs, sleep: async (ms: number) => void (nowMs += ms) },
    nowMs: () => nowMs,
    calls: () => calls,
    work: async () => {
      calls++
      throw failure
    }
  }
}
const away = appError('store_unavailable', 'away')

test('a request waits some seconds for a store that is away, and no moment for a full disk', async () => {
  const short = rig(away)
  await expect(retryForRequest(short.clock, short.work)).rejects.toBe(away)
  expect(short.nowMs()).toBeGreaterThan(1_000)
  expect(short.nowMs()).toBeLessThanOrEqual(5_000)
  for (const reason of ['no_space', 'quota_exceeded', 'read_only', 'access_denied']) {
    const full = rig(appError('store_unavailable', 'full', { detail: { reason } }))
    await expect(retryForRequest(full.clock, full.work)).rejects.toThrow('full')
    expect([reason, full.calls()]).toEqual([reason, 1])
  }
})

test('a worker tries for as long as it runs', async () => {
  const { clock, work, calls } = rig(appError('store_unavailable', 'full'))
  const stop = new AbortController()
  const tried = retryStore(clock, () => (calls() === 999 && stop.abort(), work()), stop.signal)
  await expect(tried).rejects.toThrow('full')
  expect(calls()).toBe(1000)
})
