// Tests how index-workers share collections, and hand them over.
import { expect, test } from 'vitest'
import {
  counts,
  expectOneOwnerEach,
  expectPauseBelow,
  minute,
  offered,
  reviewMs,
  worldOf
} from '../testing/shared-worlds.ts'
import { createWorld, leaseMs } from '../testing/worker-world.ts'

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
  const { world, b, fromMs } = await offered()
  world.world.losesNotifications = true
  await world.pass(minute)
  expect(counts(world)).toEqual({ a: 1, b: 1 })
  expectPauseBelow(world, reviewMs, fromMs)
  expect(b.life.reads).toBe(1)
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
