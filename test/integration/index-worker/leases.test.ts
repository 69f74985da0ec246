// Tests leases and the table of index-workers in a real Redis.
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type IndexWorkerEntry, indexWorkersKey, leaseKey } from '@likeness/shared/contract/work'
import { createLeases } from '../../../apps/index-worker/src/lease.ts'
import { createWorkerTable } from '../../../apps/index-worker/src/sharing/worker-table.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const leaseMs = 60_000
let server: TestRedis
let redis: Redis
beforeAll(async () => {
  server = await startRedis()
  redis = new Redis(server.url)
})
beforeEach(() => server.flush())
afterAll(async () => {
  redis?.disconnect()
  await server?.stop()
})

const leasesOf = (workerId: string) => createLeases({ redis, workerId, leaseMs })
const tableOf = (workerId: string, liveMs = leaseMs) =>
  createWorkerTable({ redis, workerId, liveMs })
const entryOf = (workerId: string, more: Partial<IndexWorkerEntry> = {}): IndexWorkerEntry => ({
  workerId,
  load: 0,
  isStopping: false,
  offers: {},
  ready: [],
  ...more
})

test('a lease moves only from its holder, and the new holder keeps it for a whole lease', async () => {
  const [a, b, c] = ['a', 'b', 'c'].map(leasesOf)
  expect(await a!.holder('x')).toBe('nobody')
  expect(await a!.give('x', 'b')).toBe(false)
  expect(await b!.holder('x')).toBe('nobody')
  expect(await a!.hold('x')).toBe(true)
  expect(await c!.give('x', 'c')).toBe(false)
  await redis.pexpire(leaseKey('x'), 1_000)
  expect(await a!.give('x', 'b')).toBe(true)
  expect(await redis.pttl(leaseKey('x'))).toBeGreaterThan(leaseMs / 2)
  expect(await Promise.all([a!.holder('x'), b!.holder('x')])).toEqual(['another', 'me'])
  expect(await a!.give('x', 'c')).toBe(false)
  await a!.release('x')
  expect(await b!.hold('x')).toBe(true)
})

test('each worker reads the entries of the others, without those that are stale or have another form', async () => {
  const offer = entryOf('a', { load: 3.5, offers: { x: 'b' } })
  expect(await tableOf('a').exchange(offer)).toEqual({ others: [], isKnown: false })
  await redis.hset(indexWorkersKey, 'old', 'nothing of ours')
  await redis.hset(indexWorkersKey, 'newer', `${Date.now()} {"workerId":"newer","load":"much"}`)
  await redis.hset(indexWorkersKey, 'stale', `1000 ${JSON.stringify(entryOf('stale'))}`)
  const { others } = await tableOf('b').exchange(entryOf('b', { ready: ['x'] }))
  expect(others).toEqual([offer])
  expect(Object.keys(await redis.hgetall(indexWorkersKey)).sort()).toEqual(['a', 'b', 'newer'])
  const again = await tableOf('a').exchange(offer)
  expect(again).toEqual({ others: [entryOf('b', { ready: ['x'] })], isKnown: true })
  await tableOf('b').leave()
  expect((await tableOf('a').exchange(offer)).others).toEqual([])
})

test('an entry that is not written again is gone, and a worker sees that Redis was emptied', async () => {
  await tableOf('a').exchange(entryOf('a'))
  expect((await tableOf('b').exchange(entryOf('b'))).others).toHaveLength(1)
  await pause(60)
  expect((await tableOf('b', 50).exchange(entryOf('b'))).others).toEqual([])
  await server.flush()
  expect((await tableOf('b').exchange(entryOf('b'))).isKnown).toBe(false)
})
