// The part of /readyz that waits for the collections of the replica.
import { expect, test, vi } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { silentLogger } from '@likeness/shared/process/logger'
import { startWarmUp } from './warm-up.ts'

const named = (name: string) => ({ name, collectionId: `id-${name}` })

/** A replica that loads what the test says, and a clock that stands still. */
function start({ names = ['a', 'b'], isAway = false, forMs = 90_000 } = {}) {
  const state = { nowMs: 1_000, isAway, waiting: names.map((name) => `id-${name}`) }
  const slept: (() => void)[] = []
  let finish: { resolve(): void; reject(error: Error): void }
  const warmed: unknown[] = []
  const warmUp = startWarmUp({
    catalog: {
      list: async () => {
        if (state.isAway) throw appError('store_unavailable', 'the store is away')
        return names.map(named) as never
      }
    },
    replica: {
      warm: (listed) => {
        warmed.push(listed)
        return new Promise<void>((resolve, reject) => (finish = { resolve, reject }))
      },
      warming: () => state.waiting
    },
    clock: { nowMs: () => state.nowMs, sleep: () => new Promise((resolve) => slept.push(resolve)) },
    logger: silentLogger(),
    forMs
  })
  const reason = () =>
    warmUp.check().then(
      () => 'ready',
      (error: Error) => error.message
    )
  return { state, slept, warmUp, warmed, reason, finish: () => finish }
}

test('it names what is being loaded, and is well when all of it is', async () => {
  const { state, reason, finish, warmed } = start()
  await vi.waitFor(async () =>
    expect(await reason()).toBe('loading a, b; ready in 90 s at the latest')
  )
  expect(warmed).toEqual([[named('a'), named('b')]])
  state.waiting.shift()
  state.nowMs += 30_500
  expect(await reason()).toBe('loading b; ready in 60 s at the latest')
  finish().resolve()
  await vi.waitFor(async () => expect(await reason()).toBe('ready'))
})

test('of many it names five', async () => {
  const { reason } = start({ names: ['a', 'b', 'c', 'd', 'e', 'f', 'g'] })
  await vi.waitFor(async () => expect(await reason()).toMatch(/^loading a, b, c, d, e and 2 more;/))
})

test('a collection that is never loaded holds it up for a bounded time', async () => {
  const { state, reason } = start()
  await vi.waitFor(async () => expect(await reason()).toMatch(/^loading/))
  state.nowMs += 89_999
  expect(await reason()).toMatch(/^loading/)
  state.nowMs += 1
  expect(await reason()).toBe('ready')
})

test('with a time of 0 it waits for none', async () => {
  const { reason } = start({ forMs: 0 })
  await vi.waitFor(async () => expect(await reason()).toBe('ready'))
})

test('while the store is away it says so; the time counts from the moment in which it is back', async () => {
  const { state, slept, reason } = start({ isAway: true })
  await vi.waitFor(() => expect(slept).toHaveLength(1))
  state.nowMs += 3_600_000
  expect(await reason()).toBe('the collections are not known yet: the store is away')
  state.isAway = false
  slept.pop()!()
  await vi.waitFor(async () =>
    expect(await reason()).toBe('loading a, b; ready in 90 s at the latest')
  )
})

test('a failure of the loading itself does not hold it up', async () => {
  const { reason, finish } = start()
  await vi.waitFor(async () => expect(await reason()).toMatch(/^loading/))
  finish().reject(new Error('unexpected'))
  await vi.waitFor(async () => expect(await reason()).toBe('ready'))
})

test('a stop ends the waiting for the store', async () => {
  const { state, slept, warmUp, warmed } = start({ isAway: true })
  await vi.waitFor(() => expect(slept).toHaveLength(1))
  warmUp.stop()
  state.isAway = false
  slept.pop()!()
  await new Promise((resolve) => setImmediate(resolve))
  expect([slept, warmed]).toEqual([[], []])
})
