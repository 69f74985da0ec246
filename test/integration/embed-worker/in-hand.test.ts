// Tests the record of pictures in hand, over a real Redis: its content between two writes, and the
// effect of a Redis that is away.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { inFlightKey } from '@likeness/shared/contract/work'
import { silentLogger } from '@likeness/shared/process/logger'
import { connectRedis, type Redis } from '@likeness/shared/process/redis'
import { createInFlight } from '../../../apps/embed-worker/src/in-flight.ts'
import { startRedis, type TestRedis } from '../../support/redis.ts'

const whole = { alone: false, deaths: 0 }
let server: TestRedis
let redis: Redis
beforeAll(async () => {
  server = await startRedis()
  redis = connectRedis({ url: server.url, role: 'producer', logger: silentLogger() })
  await new Promise<void>((resolve) => void redis.once('ready', resolve))
})
afterAll(async () => {
  redis.disconnect()
  await server.stop()
})

const open = (ingestion: string, workerId = 'one') =>
  createInFlight({ redis, workerId, logger: silentLogger() })(ingestion, 0)
const fieldsOf = async (ingestion: string) =>
  Object.keys(await redis.hgetall(inFlightKey(ingestion, 0))).sort()

test('what is taken stands there before it is used, with a time to live, for whoever comes next', async () => {
  const record = open('taken')
  await Promise.all([record.take(1, whole), record.take(2, { alone: true, deaths: 2 })])
  expect(await redis.ttl(inFlightKey('taken', 0))).toBeGreaterThan(6 * 86_400)
  expect(await open('taken', 'two').leftovers()).toEqual(
    new Map([
      [1, { workerId: 'one', ...whole }],
      [2, { workerId: 'one', alone: true, deaths: 2 }]
    ])
  )
})

test('what is let go leaves with what is taken next, and the time to live stays', async () => {
  const record = open('released')
  await record.take(1, whole)
  record.letGo(1)
  await record.take(2, whole)
  expect(await fieldsOf('released')).toEqual(['2'])
  expect(await redis.ttl(inFlightKey('released', 0))).toBeGreaterThan(6 * 86_400)
})

test('what is let go leaves soon when nothing more is taken, and at once when asked', async () => {
  const record = open('last')
  await Promise.all([1, 2, 3].map((ordinal) => record.take(ordinal, whole)))
  record.letGo(1)
  await expect.poll(() => fieldsOf('last')).toEqual(['2', '3'])
  record.letGo(2)
  record.letGo(3)
  await record.flush()
  expect(await fieldsOf('last')).toEqual([])
})

test('taken again after it was let go, it stands there', async () => {
  const record = open('again')
  await record.take(1, whole)
  record.letGo(1)
  await record.take(1, { alone: true, deaths: 1 })
  await record.flush()
  expect(await open('again').leftovers()).toEqual(
    new Map([[1, { workerId: 'one', alone: true, deaths: 1 }]])
  )
  const given = open('given back')
  const taking = given.take(1, whole)
  given.letGo(1)
  await taking
  expect(await fieldsOf('given back')).toEqual([])
})

test('a Redis that is away delays nothing for long', async () => {
  const record = open('away')
  await server.kill()
  await record.take(1, whole)
  record.letGo(1)
  await record.flush()
  expect(await record.leftovers()).toEqual(new Map())
  await server.start()
})
