// Records are stored by week. Near the border of two weeks, processes may choose different weeks.
import { expect, test } from 'vitest'
import {
  formerIdempotencyKey,
  idempotencyKey,
  idempotencyWeekMs
} from '@likeness/shared/contract/keys'
import { createMemoryStore } from '@likeness/store/memory-store'
import { createRecordPlace, placesOf } from './record-place.ts'
import { encodeRecord, type PendingRecord } from './record.ts'

const day = 86_400_000
const border = 2_800 * idempotencyWeekMs
const record = (holder: string): PendingRecord => ({
  state: 'pending',
  fingerprint: 'f',
  atMs: 0,
  holder,
  intent: {}
})

function places(store = createMemoryStore()) {
  const at = (nowMs: number) =>
    createRecordPlace({
      store,
      clock: { nowMs: () => nowMs, sleep: async () => undefined },
      retentionMs: 7 * day,
      scope: 's',
      given: 'k'
    })
  return { store, at }
}

test('as many weeks are looked at as the retention reaches back to', () => {
  const weeks = (nowMs: number, retentionMs: number) => {
    const { own, others } = placesOf(nowMs, retentionMs, (week) => [String(week)])
    return [own, ...others].map(Number).map((week) => week - 2_800)
  }
  expect(weeks(border + day, 7 * day)).toEqual([0, -1])
  expect(weeks(border + day, 3_600_000)).toEqual([0])
  expect(weeks(border + 1_000, 3_600_000)).toEqual([0, -1])
  expect(weeks(border - 1_000, 3_600_000)).toEqual([-1, 0])
  expect(weeks(border + day, 90 * day)).toEqual(Array.from({ length: 14 }, (_, i) => 0 - i))
})

test('of two clocks on both sides of a border at most one reserves, however their steps mix', async () => {
  for (const [first, second] of [
    [-500, 500],
    [500, -500]
  ] as const) {
    const { store, at } = places()
    const one = await at(border + first).reserve(record('one'))
    const two = await at(border + second).reserve(record('two'))
    expect([one !== undefined, two]).toEqual([true, undefined])
    expect((await at(border + second).find())?.record).toMatchObject({ holder: 'one' })
    // At the same time, both processes may give way. They must never both continue.
    const both = places()
    const held = await Promise.all([
      both.at(border + first).reserve(record('one')),
      both.at(border + second).reserve(record('two'))
    ])
    expect(held.filter((one) => one !== undefined).length).toBeLessThan(2)
    expect(store).not.toBe(both.store)
  }
})

test('a key that was freed is reserved again by one only, and what had it before cannot write any more', async () => {
  const { at } = places()
  const place = at(border + day)
  const first = (await place.reserve(record('one')))!
  expect(await place.reserve(record('two'))).toBeUndefined()
  await place.swap(first, 'free')
  expect(await place.find()).toBeUndefined()
  const held = await Promise.all(
    ['two', 'three', 'four'].map((holder) => place.reserve(record(holder)))
  )
  expect(held.filter((one) => one !== undefined)).toHaveLength(1)
  expect(
    await place.swap(first, { ...record('one'), state: 'done', status: 200, body: {} })
  ).toBeUndefined()
})

test('a record of a program before 0.4 counts, in each week, and a new one has a place of its own', async () => {
  const { store, at } = places()
  const week = border / idempotencyWeekMs
  const put = (key: string, holder: string) => store.put(key, encodeRecord(record(holder)))
  await put(formerIdempotencyKey(week - 1, 's', 'k'), 'last week')
  expect((await at(border + day).find())?.record).toMatchObject({ holder: 'last week' })
  expect(await at(border + 15 * day).find()).toBeUndefined()
  await put(formerIdempotencyKey(week + 2, 's', 'k'), 'this week')
  expect((await at(border + 15 * day).find())?.record).toMatchObject({ holder: 'this week' })
  const own = idempotencyKey(week, 's', 'k')
  expect(own).toMatch(/^idem\/002800\/[0-9a-f]{2}\/[0-9a-f]{62}$/)
  expect(own.replace(/\/(?=[^/]*$)/, '')).toBe(formerIdempotencyKey(week, 's', 'k'))
  expect(await at(border + day).reserve(record('one'))).toMatchObject({ key: own })
})
