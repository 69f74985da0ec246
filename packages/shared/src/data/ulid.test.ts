import { expect, test } from 'vitest'
import { createUlid, ulidPattern, ulidTimeMs } from './ulid.ts'

test('ulids sort by time, carry it, and differ within a millisecond', () => {
  const ids = [1, 2, 1_700_000_000_000, 1_700_000_000_001].map((ms) => createUlid(ms))
  expect([...ids].sort()).toEqual(ids)
  expect(ids.map(ulidTimeMs)).toEqual([1, 2, 1_700_000_000_000, 1_700_000_000_001])
  for (const id of ids) expect(id).toMatch(ulidPattern)
  expect(new Set(Array.from({ length: 1000 }, () => createUlid(5))).size).toBe(1000)
})

test('the same time and random bytes give the same ulid', () => {
  const random = Uint8Array.of(255, 0, 1, 2, 3, 4, 5, 6, 7, 8)
  expect(createUlid(9, random)).toBe(createUlid(9, random))
})
