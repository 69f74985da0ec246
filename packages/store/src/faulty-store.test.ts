import { Readable } from 'node:stream'
import { expect, it } from 'vitest'
import { isAppError } from '@likeness/shared/errors'
import { createFaultyStore } from './faulty-store.ts'
import { createMemoryStore } from './memory-store.ts'
import type { FaultyStoreOptions } from './planned-faults.ts'

const bytes = (text: string) => Buffer.from(text)
const refused = { code: 'store_unavailable', retryable: true }

/** A clock that only the test moves, and the order in which sleepers woke. */
function fakeClock() {
  let nowMs = 0
  const sleepers: { atMs: number; wake: () => void }[] = []
  return {
    sleep: (ms: number) =>
      ms === 0
        ? Promise.resolve()
        : new Promise<void>((wake) => sleepers.push({ atMs: nowMs + ms, wake })),
    async advance(ms: number) {
      for (const untilMs = nowMs + ms; ; ) {
        await new Promise((resolve) => setImmediate(resolve))
        sleepers.sort((a, b) => a.atMs - b.atMs)
        const next = sleepers[0]
        if (!next || next.atMs > untilMs) return void (nowMs = untilMs)
        sleepers.shift()
        nowMs = next.atMs
        next.wake()
      }
    }
  }
}

function faulty(options: Partial<FaultyStoreOptions> = {}) {
  const inner = createMemoryStore()
  const clock = fakeClock()
  return {
    inner,
    clock,
    store: createFaultyStore({ inner, seed: 1, sleep: clock.sleep, rates: {}, ...options })
  }
}

it('passes everything through without faults', async () => {
  const { store } = faulty()
  const first = await store.putIf('a', bytes('one'), { create: true })
  expect(await store.putIf('a', bytes('two'), { ifMatch: first?.etag ?? '' })).toBeDefined()
  await store.putStream('b', Readable.from([bytes('three')]), { maxBytes: 10 })
  expect((await store.get('b'))?.body).toEqual(Uint8Array.from(bytes('three')))
  expect(await store.getRange('a', 1, 2)).toEqual(Uint8Array.from(bytes('wo')))
  await store.delete(['b'])
  expect(await firstKey(store)).toBe('a')
  expect(store.injected).toEqual({ failBefore: 0, failAfter: 0, landLate: 0 })
})

it('leaves the object alone when it fails before the write', async () => {
  const { store, inner } = faulty({ rates: { failBefore: 1 } })
  await expect(store.put('a', bytes('one'))).rejects.toMatchObject(refused)
  expect(await inner.get('a')).toBeUndefined()
})

it('has written when it fails after the write', async () => {
  const { store, inner } = faulty({ rates: { failAfter: 1 } })
  await expect(store.put('a', bytes('one'))).rejects.toMatchObject(refused)
  expect(await inner.get('a')).toBeDefined()
  await expect(store.get('a')).rejects.toMatchObject(refused)
})

it('lands a write after its error, over what was written in between', async () => {
  const { store, inner, clock } = faulty({ operationRates: { put: { landLate: 1, lateMs: 1000 } } })
  await expect(store.put('a', bytes('late'))).rejects.toMatchObject(refused)
  await inner.put('a', bytes('between'))
  await clock.advance(1000)
  await store.landed()
  expect(Buffer.from((await inner.get('a'))?.body ?? []).toString()).toBe('late')
})

it('checks the condition of a late write when it lands', async () => {
  const { store, inner, clock } = faulty({
    operationRates: { putIf: { landLate: 1, lateMs: 1000 } }
  })
  const { etag } = await inner.put('a', bytes('one'))
  await expect(store.putIf('a', bytes('late'), { ifMatch: etag })).rejects.toMatchObject(refused)
  await inner.put('a', bytes('between'))
  await clock.advance(1000)
  await store.landed()
  expect(Buffer.from((await inner.get('a'))?.body ?? []).toString()).toBe('between')
})

it('answers in another order than it was asked', async () => {
  const { store, clock } = faulty({ rates: { latencyMs: 100 } })
  const order: number[] = []
  const asked = Array.from({ length: 20 }, (_, i) =>
    store.put(`k${i}`, bytes('x')).then(() => order.push(i))
  )
  await clock.advance(1000)
  await Promise.all(asked)
  expect(order).not.toEqual([...order].sort((a, b) => a - b))
})

it('does the same again with the same seed, and something else with another', async () => {
  const run = async (seed: number) => {
    const { store, clock } = faulty({
      seed,
      rates: { failBefore: 0.2, failAfter: 0.2, landLate: 0.2, latencyMs: 10, lateMs: 50 }
    })
    const outcomes: string[] = []
    const writes = Array.from({ length: 60 }, (_, i) =>
      store.put(`k${i % 4}`, bytes(`${i}`)).then(
        () => outcomes.push(`${i} ok`),
        (error: unknown) => outcomes.push(`${i} ${isAppError(error) ? error.code : 'bug'}`)
      )
    )
    await clock.advance(1000)
    await Promise.all(writes)
    await store.landed()
    store.calm(true)
    for (let i = 0; i < 4; i++)
      outcomes.push(String(Buffer.from((await store.get(`k${i}`))?.body ?? [])))
    expect(Math.min(...Object.values(store.injected))).toBeGreaterThan(0)
    return outcomes
  }
  expect(await run(7)).toEqual(await run(7))
  expect(await run(7)).not.toEqual(await run(8))
})

it('still refuses bad keys and large streams before it fails', async () => {
  const { store } = faulty({ rates: { failBefore: 1 } })
  await expect(store.put('../a', bytes('x'))).rejects.toMatchObject({ code: 'invalid_key' })
  await expect(
    store.putStream('a', Readable.from([bytes('xx')]), { maxBytes: 1 })
  ).rejects.toMatchObject({ code: 'too_large' })
})

async function firstKey(store: ReturnType<typeof createFaultyStore>) {
  for await (const info of store.list('')) return info.key
  return undefined
}
