// Tests hand-overs between index-workers, and what may come between their steps.
import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { createWorld, leaseMs, type World } from '../testing/worker-world.ts'

const minute = 60_000
/** A review and the step of a writer: the pause of commits where a notification is lost. */
const reviewMs = leaseMs / 4 + 200

function worldOf(count: number): World {
  const world = createWorld()
  for (let i = 0; i < count; i++) world.add(`c${i}`)
  return world
}
const counts = (world: World): Record<string, number> => {
  const found: Record<string, number> = {}
  for (const owners of Object.values(world.owners()))
    for (const owner of owners) found[owner] = (found[owner] ?? 0) + 1
  return found
}
const expectOneOwnerEach = (world: World): void => {
  for (const owners of Object.values(world.owners())) expect(owners).toHaveLength(1)
}
const expectPauseBelow = (world: World, ms: number, fromMs: number): void => {
  for (const id of world.stored.keys()) expect(world.longestPauseMs(id, fromMs)).toBeLessThan(ms)
}

/** One collection that `a` owns, big enough to be given to `b`, and a second one that stays. */
async function offered() {
  const world = worldOf(2)
  const a = world.start('a')
  await world.pass(1_000)
  const b = world.start('b')
  return { world, a, b, fromMs: world.clock.nowMs() }
}

test('a worker alone owns all at once', async () => {
  const world = worldOf(5)
  world.start('a')
  await world.pass(200)
  expect(counts(world)).toEqual({ a: 5 })
})

test('a second worker gets its share, one collection after the other, without a pause of commits', async () => {
  const world = worldOf(8)
  world.start('a')
  await world.pass(1_000)
  const fromMs = world.clock.nowMs()
  world.start('b')
  await world.pass(leaseMs)
  expect(counts(world).b).toBeLessThanOrEqual(2)
  await world.pass(minute)
  expect(counts(world)).toEqual({ a: 4, b: 4 })
  expectOneOwnerEach(world)
  expectPauseBelow(world, 200, fromMs)
  const epochs = [...world.stored.values()].map(({ epoch }) => epoch)
  await world.pass(2 * minute)
  expect([...world.stored.values()].map(({ epoch }) => epoch)).toEqual(epochs)
})

test('the larger collection of two is not moved to and fro', async () => {
  const world = createWorld()
  world.add('large', 1_000_000)
  world.add('small')
  world.start('a')
  await world.pass(1_000)
  world.start('b')
  await world.pass(3 * minute)
  expect(counts(world)).toEqual({ a: 1, b: 1 })
  expect([...world.stored.values()].reduce((sum, { epoch }) => sum + epoch, 0)).toBe(3)
})

test('workers that start together share free collections, and those of a worker that died', async () => {
  const world = createWorld()
  const workers = ['a', 'b', 'c'].map((name) => world.start(name))
  await world.pass(leaseMs)
  for (let i = 0; i < 30; i++) world.add(`c${i}`)
  await world.pass(leaseMs)
  const before = counts(world)
  for (const name of ['a', 'b', 'c']) expect(before[name]).toBeGreaterThanOrEqual(4)
  workers[0]!.die()
  await world.pass(3 * leaseMs)
  const { a, b, c } = counts(world)
  expect(a).toBeUndefined()
  expect(b! + c!).toBe(30)
  expect(Math.min(b!, c!)).toBeGreaterThanOrEqual(10)
  expectOneOwnerEach(world)
})

test('a worker that stops gives all away before it ends, without a pause of commits', async () => {
  const world = worldOf(100)
  const a = world.start('a')
  await world.pass(1_000)
  world.start('b')
  await world.pass(100)
  const fromMs = world.clock.nowMs()
  const ended = a.end()
  await world.pass(5_000)
  await ended
  expect(counts(world)).toEqual({ b: 100 })
  expectPauseBelow(world, 1_000, fromMs)
})

test('a worker that is alone, or whose fellows stop too, ends at once', async () => {
  const world = worldOf(3)
  const a = world.start('a')
  await world.pass(1_000)
  const b = world.start('b')
  await world.pass(minute)
  let isEnded = false
  void Promise.all([a.end(), b.end()]).then(() => (isEnded = true))
  await world.pass(600)
  expect(isEnded).toBe(true)
  expect(world.table.size).toBe(0)
  expect([...world.stored.keys()].map((id) => world.leaseOf(id))).toEqual(Array(3).fill(undefined))
})

test('without notifications a hand-over takes reviews, and a pause of one of them', async () => {
  const { world, fromMs } = await offered()
  world.world.losesNotifications = true
  await world.pass(minute)
  expect(counts(world)).toEqual({ a: 1, b: 1 })
  expectPauseBelow(world, reviewMs, fromMs)
})

test('merges under way are waited for, and given up after ten seconds', async () => {
  const { world, a, fromMs } = await offered()
  const end = a.hold('drain')
  await world.pass(8_000)
  expect(Object.values(counts(world))).toEqual([1])
  await world.pass(8_000)
  end()
  expect(counts(world)).toEqual({ a: 1, b: 1 })
  expectPauseBelow(world, 12_000, fromMs)
})

test('the new owner dies while it reads: the old one goes on, and offers it to another', async () => {
  const { world, b, fromMs } = await offered()
  b.hold('read')
  await world.pass(5_000)
  b.die()
  world.start('c')
  await world.pass(minute)
  expect(counts(world)).toEqual({ a: 1, c: 1 })
  expectPauseBelow(world, 200, fromMs)
})

test('the new owner dies when it is ready: another one takes the lease when it expires', async () => {
  const { world, a, b, fromMs } = await offered()
  const end = a.hold('give')
  await world.pass(5_000)
  b.die()
  end()
  await world.pass(2 * leaseMs)
  expect(counts(world)).toEqual({ a: 2 })
  expectPauseBelow(world, 2 * leaseMs, fromMs)
})

test('the new owner has just stopped: the old one keeps the collection', async () => {
  const { world, a, b, fromMs } = await offered()
  const end = a.hold('drain')
  await world.pass(5_000)
  await Promise.all([b.end(), world.pass(1_000)])
  end()
  await world.pass(1_000)
  expect(counts(world)).toEqual({ a: 2 })
  expectPauseBelow(world, 7_000, fromMs)
})

test('a lease that comes to a worker that stops is given back at once', async () => {
  const { world, a, b } = await offered()
  const end = a.hold('give')
  await world.pass(5_000)
  const ended = b.end()
  end()
  await world.pass(1_000)
  await ended
  await world.pass(leaseMs / 4)
  expect(counts(world)).toEqual({ a: 2 })
})

test('the new owner is not ready in time: it gets no offer for some time, others do', async () => {
  const { world, b, fromMs } = await offered()
  b.hold('read')
  await world.pass(2 * minute)
  expect(b.life.reads).toBe(1)
  expect(counts(world)).toEqual({ a: 2 })
  world.start('c')
  await world.pass(minute)
  expect(counts(world)).toEqual({ a: 1, c: 1 })
  expectPauseBelow(world, 200, fromMs)
})

test('the old owner dies before and after it has let go: the lease expires, the other one takes over', async () => {
  for (const call of ['read', 'give'] as const) {
    const { world, a, b, fromMs } = await offered()
    const end = (call === 'read' ? b : a).hold(call)
    await world.pass(3_000)
    a.die()
    end()
    await world.pass(2 * leaseMs)
    expect(counts(world)).toEqual({ b: 2 })
    expectPauseBelow(world, 2 * leaseMs, fromMs)
  }
})

test('the old owner stalls for longer than its lease: its give and its commits have no effect', async () => {
  for (const call of ['give', 'all'] as const) {
    const { world, a } = await offered()
    const end = a.hold(call)
    await world.pass(2_500)
    const stalled = call === 'give' ? a.hold('all') : end
    await world.pass(3 * leaseMs)
    expect(counts(world)).toEqual({ b: 2 })
    stalled()
    end()
    await world.pass(300)
    expect(counts(world)).toEqual({ b: 2 })
    await world.pass(2 * minute)
    expect(counts(world)).toEqual({ a: 1, b: 1 })
    expectOneOwnerEach(world)
  }
})

test('Redis is emptied at any point: everybody keeps what it owns, and sharing goes on', async () => {
  for (let atMs = 0; atMs < 6_000; atMs += 500) {
    const { world, a, fromMs } = await offered()
    a.hold('drain')
    await world.pass(atMs)
    world.flush()
    await world.pass(minute)
    expect(counts(world)).toEqual({ a: 1, b: 1 })
    expectOneOwnerEach(world)
    expectPauseBelow(world, 13_000, fromMs)
    const epochs = [...world.stored.values()].reduce((sum, { epoch }) => sum + epoch, 0)
    expect(epochs).toBe(3)
  }
})

test('Redis is away during a hand-over: owners go on, and the hand-over ends later', async () => {
  for (let atMs = 0; atMs < 4_000; atMs += 500) {
    const { world, fromMs } = await offered()
    await world.pass(atMs)
    world.world.isRedisAway = true
    await world.pass(5_000)
    world.world.isRedisAway = false
    await world.pass(minute)
    expect(counts(world)).toEqual({ a: 1, b: 1 })
    expectOneOwnerEach(world)
    expectPauseBelow(world, 2 * leaseMs, fromMs)
  }
})

test('two workers think that they own a collection: the one with the lower epoch ends', async () => {
  const { world, b } = await offered()
  await world.pass(minute)
  const [id] = Object.entries(world.owners()).find(([, owners]) => owners[0] === 'a')!
  world.takeLease(id, 'b')
  b.collections.heard({ to: 'b', collection: id })
  await world.pass(300)
  expect(world.owners()[id]!.at(-1)).toBe('b')
  await world.pass(minute)
  expectOneOwnerEach(world)
  expect(world.stored.get(id)!.epoch).toBeLessThanOrEqual(4)
})

test('a worker of another program, which has no entry, keeps its leases and gets no offer', async () => {
  const world = worldOf(2)
  world.takeLease('c0', 'old')
  const a = world.start('a')
  for (let i = 0; i < 10; i++) {
    await world.pass(leaseMs / 2)
    world.takeLease('c0', 'old')
  }
  expect(counts(world)).toEqual({ a: 1 })
  await Promise.all([a.end(), world.pass(1_000)])
  expect(world.leaseOf('c1')).toBeUndefined()
})

test('a worker that fails three times on a collection gives it away once, then backs off', async () => {
  const world = worldOf(1)
  const a = world.start('a')
  const b = world.start('b')
  await world.pass(leaseMs)
  const [owner, other] = world.leaseOf('c0') === 'a' ? [a, b] : [b, a]
  owner.life.failsToOwn = new Error('the disk is broken')
  world.stored.get('c0')!.epoch++
  await world.pass(leaseMs)
  expect(world.owners()).toEqual({ c0: [other.name] })
  expect(owner.troubles.list()).toEqual([])
  other.life.failsToOwn = appError('data_corrupt', 'a segment is damaged')
  world.stored.get('c0')!.epoch++
  await world.pass(10 * minute)
  expect(world.owners()).toEqual({ c0: [] })
  other.life.failsToOwn = undefined
  await world.pass(minute)
  expect(world.owners()).toEqual({ c0: [other.name] })
})
