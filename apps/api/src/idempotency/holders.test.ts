// Tests which processes count as living. The answer comes from a Redis that may be emptied or away.
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { createHolders, type HolderRedis } from './holders.ts'

const keys = new Set<string>()
let away = false
const asked = async <T>(answer: () => T): Promise<T> => {
  if (away) throw new Error('away')
  return answer()
}
const redis: HolderRedis = {
  set: (key) => asked(() => keys.add(key)),
  exists: (key) => asked(() => (keys.has(key) ? 1 : 0)),
  del: (key) => asked(() => keys.delete(key))
}
let slept = 0
const opened: { stop(): Promise<void> }[] = []
function open(whileAsleep: () => void = () => undefined) {
  const clock = {
    ...systemClock,
    async sleep(ms: number) {
      slept += ms
      whileAsleep()
    }
  }
  const holders = createHolders({ redis, clock, logger: silentLogger() })
  opened.push(holders)
  return holders
}
afterEach(async () => {
  away = false
  slept = 0
  await Promise.all(opened.splice(0).map((holders) => holders.stop()))
  keys.clear()
})

test('a process lives until it stops, and then it is gone', async () => {
  const [a, b] = [open(), open()]
  expect(a.id).not.toBe(b.id)
  expect(await b.isGone(a.id, 'k')).toBe(false)
  await a.stop()
  expect(await b.isGone(a.id, 'k')).toBe(true)
})

test('a Redis that was emptied does not make the living dead: they are asked for again after the next beat', async () => {
  const a = open()
  const b = open(() => keys.add(`likeness:api:${a.id}`))
  keys.clear()
  expect(await b.isGone(a.id, 'k')).toBe(false)
  expect(slept).toBeGreaterThan(1_000)
})

test('without Redis it cannot be told', async () => {
  const [a, b] = [open(), open()]
  away = true
  expect(await b.isGone(a.id, 'k')).toBeUndefined()
})

test('of itself a process knows: it works on a record or it does not, Redis or not', async () => {
  const holders = open()
  away = true
  const [first, second] = [holders.begin('k'), holders.begin('k')]
  expect(await holders.isGone(holders.id, 'k')).toBe(false)
  first()
  expect(await holders.isGone(holders.id, 'k')).toBe(false)
  second()
  expect([
    await holders.isGone(holders.id, 'k'),
    await holders.isGone(holders.id, 'other')
  ]).toEqual([true, true])
})
