import { expect, test } from 'vitest'
import { idempotencyKey, idempotencyWeekMs } from '@likeness/shared/contract/keys'
import { createMemoryStore } from '@likeness/store/memory-store'
import { deleteOldRecords } from './old-records.ts'

const day = 86_400_000
const nowMs = 2_800 * idempotencyWeekMs + 2 * day

test('living weeks are not listed', async () => {
  const store = createMemoryStore()
  for (const week of [2_799, 2_800])
    await store.put(idempotencyKey(week, 's', 'k'), Buffer.from('r'))
  const listed: string[] = []
  const watched = {
    ...store,
    async *list(...asked: Parameters<typeof store.list>) {
      for await (const info of store.list(...asked)) {
        listed.push(info.key)
        yield info
      }
    }
  }
  await deleteOldRecords({ store: watched, clock: { nowMs: () => nowMs }, retentionMs: day })
  expect(listed).toEqual([idempotencyKey(2_799, 's', 'k')])
})

test('records of whole weeks go once the last of them is past its retention, and no others', async () => {
  const store = createMemoryStore()
  for (let week = 2_790; week <= 2_800; week++)
    await store.put(idempotencyKey(week, 's', 'k'), Buffer.from('record'))
  await store.put('idem-not/000001/x', Buffer.from('something else'))
  const run = (retentionMs: number, atMs = nowMs) =>
    deleteOldRecords({
      store,
      clock: { nowMs: () => atMs },
      retentionMs
    })
  expect(await run(90 * day)).toBe(0)
  // The cleanup reads the week that ended two days ago, but not the week before.
  expect(await run(7 * day)).toBe(9)
  expect(await run(7 * day)).toBe(0)
  expect(await run(7 * day, nowMs + 6 * day)).toBe(1)
  const left: string[] = []
  for await (const { key } of store.list('')) left.push(key)
  expect(left).toEqual(['idem-not/000001/x', idempotencyKey(2_800, 's', 'k')])
})
