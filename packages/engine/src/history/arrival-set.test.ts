import { expect, test } from 'vitest'
import { ArrivalSet } from './arrival-set.ts'

/** Numbers of a fixed sequence, below `below`. */
function numbers(count: number, below: number): number[] {
  let state = 7
  return Array.from({ length: count }, () => (state = (state * 48_271) % 2_147_483_647) % below)
}

test.each([
  ['few, far apart', 50, 2 ** 31 - 1],
  ['a chunk that is full but for some', 60_000, 65_536],
  ['some of each chunk', 20_000, 300_000],
  ['none', 0, 1]
])('a set of %s agrees with a plain one, and comes back from its file', (_, count, below) => {
  const plain = new Set<number>()
  const set = new ArrivalSet()
  for (const arrival of numbers(count, below)) {
    expect(set.add(arrival)).toBe(!plain.has(arrival))
    plain.add(arrival)
  }
  const read = ArrivalSet.decode(set.encode())
  const sorted = [...plain].sort((a, b) => a - b)
  for (const one of [set, read]) {
    expect(one.size).toBe(plain.size)
    expect([...one.between(0, Infinity)]).toEqual(sorted)
    for (const arrival of numbers(100, below)) expect(one.has(arrival)).toBe(plain.has(arrival))
  }
  const [first, last] = [Math.floor(below / 3), Math.floor(below / 2)]
  expect([...read.between(first, last)]).toEqual(
    sorted.filter((arrival) => arrival >= first && arrival <= last)
  )
})

test('numbers beyond 32 bits are kept apart', () => {
  const set = new ArrivalSet()
  for (const arrival of [1, 2 ** 32 + 1, 2 ** 52]) set.add(arrival)
  expect([...ArrivalSet.decode(set.encode()).between(0, Infinity)]).toEqual([
    1,
    2 ** 32 + 1,
    2 ** 52
  ])
  expect(set.has(2 ** 32 + 2)).toBe(false)
})

test('a million arrivals without gaps take a bit each, and few of them two bytes each', () => {
  const dense = new ArrivalSet()
  for (let arrival = 1; arrival < 1_000_000; arrival++) dense.add(arrival)
  expect(dense.encode().byteLength).toBeLessThan(1_000_000 / 8 + 16_384)
  const sparse = new ArrivalSet()
  for (let n = 0; n < 1_000; n++) sparse.add(n * 1_000)
  expect(sparse.encode().byteLength).toBe(16 + 2_000 + 16 * 16)
})

test('what is cut, altered in its head or of a newer format is told', () => {
  const set = new ArrivalSet()
  for (const arrival of numbers(100, 200_000)) set.add(arrival)
  const body = Buffer.from(set.encode())
  for (const length of [3, 20, body.length - 1])
    expect(() => ArrivalSet.decode(body.subarray(0, length))).toThrow(
      expect.objectContaining({ code: 'data_corrupt' })
    )
  body.writeUInt32LE(2, 4)
  expect(() => ArrivalSet.decode(body)).toThrow(
    expect.objectContaining({ code: 'unsupported_store' })
  )
})
