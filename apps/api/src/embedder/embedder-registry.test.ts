import { afterEach, expect, test } from 'vitest'
import { silentLogger } from '@likeness/shared/process/logger'
import { createEmbedderRegistry, type EmbedderRegistry } from './embedder-registry.ts'

let registry: EmbedderRegistry
afterEach(() => registry.close())

function setUp() {
  const state = { nowMs: 1_000_000, entries: {} as Record<string, string>, away: false }
  const redis = {
    hgetall: async () => {
      if (state.away) throw new Error('away')
      return state.entries
    }
  }
  registry = createEmbedderRegistry({
    redis,
    clock: { nowMs: () => state.nowMs, sleep: async () => {} },
    logger: silentLogger(),
    refreshMs: 60_000
  })
  const beat = (workerId: string, atMs: number) => {
    state.entries[workerId] = JSON.stringify({
      workerId,
      url: `http://${workerId}`,
      embedding: { version: 'v', dim: 2, unit: true },
      provider: 'cpu',
      atMs
    })
  }
  const known = async () => {
    await registry.refresh()
    return registry.known().map(({ workerId }) => workerId)
  }
  return { state, beat, known }
}

test('embed servers that beat are known, silent ones are dropped after 10 s, unreadable ones are passed over', async () => {
  const { state, beat, known } = setUp()
  beat('a', state.nowMs)
  beat('old', state.nowMs - 11_000)
  state.entries.strange = '{"workerId":"strange"}'
  expect(await known()).toEqual(['a'])
  state.nowMs += 9_000
  expect(await known()).toEqual(['a'])
  state.nowMs += 2_000
  expect(await known()).toEqual([])
  beat('a', state.nowMs)
  expect(await known()).toEqual(['a'])
  delete state.entries.a
  expect(await known()).toEqual([])
})

test('a worker whose clock is off is known from its second beat on', async () => {
  const { state, beat, known } = setUp()
  beat('late', state.nowMs - 3_600_000)
  expect(await known()).toEqual([])
  state.nowMs += 2_000
  beat('late', state.nowMs - 3_600_000)
  expect(await known()).toEqual(['late'])
})

test('while Redis is away the last known embed servers stay, and go when it is back without them', async () => {
  const { state, beat, known } = setUp()
  beat('a', state.nowMs)
  expect(await known()).toEqual(['a'])
  state.away = true
  state.nowMs += 3_600_000
  expect(await known()).toEqual(['a'])
  state.away = false
  expect(await known()).toEqual([])
})

test('the worker that was started last comes first', async () => {
  const { state, beat, known } = setUp()
  beat('01-former', state.nowMs)
  beat('02-latter', state.nowMs)
  expect(await known()).toEqual(['02-latter', '01-former'])
  beat('03-last', state.nowMs)
  expect(await known()).toEqual(['03-last', '02-latter', '01-former'])
})

test('a worker that tells its address stays known while Redis takes no heartbeat, until it ends', async () => {
  let nowMs = 0
  const registry = createEmbedderRegistry({
    redis: { hgetall: async () => ({}) },
    clock: { nowMs: () => nowMs, sleep: async () => undefined },
    logger: silentLogger(),
    refreshMs: 1e6
  })
  const address = {
    workerId: 'w',
    url: 'http://127.0.0.1:1',
    embedding: { version: 'v', dim: 1, unit: true },
    provider: 'cpu',
    atMs: 0
  }
  for (; nowMs < 60_000; nowMs += 1_000) {
    registry.hear({ ...address, atMs: nowMs })
    await registry.refresh()
    expect(registry.known().map(({ workerId }) => workerId)).toEqual(['w'])
  }
  nowMs += 10_001
  await registry.refresh()
  expect(registry.known()).toEqual([])
  registry.hear(address)
  registry.hear(address, true)
  expect(registry.known()).toEqual([])
  registry.close()
})
