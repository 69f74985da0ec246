// Tests what may come between the steps of a hand-over: deaths, stalls, lost messages, a Redis that is
// emptied or away.
import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import {
  counts,
  expectOneOwnerEach,
  expectPauseBelow,
  minute,
  offered,
  worldOf
} from '../testing/shared-worlds.ts'
import { leaseMs } from '../testing/worker-world.ts'

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
  // The worker that stops has not opened it.
  expect([...world.stored.values()].reduce((sum, { epoch }) => sum + epoch, 0)).toBe(3)
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

test('the lease is lost during a hand-over: neither goes on with it, and what was read is forgotten', async () => {
  for (const ends of [true, false]) {
    const { world, a, b } = await offered()
    a.hold('drain')
    await world.pass(3_000)
    const [id] = Object.keys(world.table.get('a')!.entry.offers)
    if (ends) await b.end()
    else expect(world.table.get('b')!.entry.ready).toEqual([id])
    const keepLease = () => world.takeLease(id!, 'c')
    for (let atMs = 0; atMs < 2 * leaseMs; atMs += leaseMs / 2) {
      keepLease()
      await world.pass(leaseMs / 2)
    }
    expect(world.owners()[id!]).toEqual([])
    expect(world.stored.get(id!)!.epoch).toBe(1)
    if (!ends) expect(world.table.get('b')!.entry.ready).toEqual([])
  }
})

test('an offer that is still in the table when the lease has moved is not taken again', async () => {
  const { world, a, b } = await offered()
  const end = a.hold('give')
  await world.pass(3_000)
  a.hold('exchange')
  end()
  await world.pass(leaseMs / 2)
  expect(counts(world)).toEqual({ a: 1, b: 1 })
  expect(b.life.reads).toBe(1)
})

test('a Redis that hangs does not keep a worker from ending', async () => {
  const { world, a } = await offered()
  a.hold('exchange')
  let isEnded = false
  void a.end().then(() => (isEnded = true))
  await world.pass(8_000)
  expect(isEnded).toBe(true)
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

test('Redis is away from any point of a hand-over on: owners go on, and the hand-over ends later', async () => {
  for (const call of ['read', 'drain', 'isReady', 'give'] as const) {
    const { world, a, b, fromMs } = await offered()
    const ends = [(call === 'read' ? b : a).hold(call === 'isReady' ? 'drain' : call)]
    await world.pass(3_000)
    if (call === 'isReady') {
      ends.push(a.hold('exchange'))
      ends[0]!()
      await world.pass(100)
    }
    world.world.isRedisAway = true
    await world.pass(1_000)
    for (const end of ends) end()
    await world.pass(minute)
    expect(counts(world)).toEqual({ a: 2 })
    world.world.isRedisAway = false
    await world.pass(minute)
    expect(counts(world)).toEqual({ a: 1, b: 1 })
    expectOneOwnerEach(world)
    expectPauseBelow(world, 6_000, fromMs)
  }
})

test('Redis goes away when the lease has moved: the new owner believes the old one', async () => {
  const { world, b, fromMs } = await offered()
  const end = b.hold('hold')
  await world.pass(2_000)
  world.world.isRedisAway = true
  end()
  await world.pass(minute)
  expect(counts(world)).toEqual({ a: 1, b: 1 })
  expectPauseBelow(world, 3_000, fromMs)
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

test('a worker that takes long to fail gives the collection away, although its lease is never free for long', async () => {
  const world = worldOf(1)
  const a = world.start('a')
  await world.pass(1_000)
  world.start('b')
  Object.assign(a.life, { failsToOwn: new Error('no memory'), opensForMs: 20_000 })
  world.stored.get('c0')!.epoch++
  await world.pass(2 * minute)
  expect(world.owners()).toEqual({ c0: ['b'] })
})
