import { expect, test } from 'vitest'
import { type InvertedQuery, type Postings, searchInverted } from './search-inverted.ts'

const nothingDeleted = new Uint8Array(0)
/** Returns the postings of lists of [row, value]. */
function postingsOf(
  lists: readonly (readonly (readonly [number, number])[])[],
  rowCount: number
): { postings: Postings; boundsOf: (...list: number[]) => Float64Array } {
  const entries = lists.flat()
  const starts = lists.map((_, i) => lists.slice(0, i).flat().length)
  return {
    postings: {
      rows: Int32Array.from(entries, ([row]) => row),
      values: Float32Array.from(entries, ([, value]) => value),
      rowCount
    },
    boundsOf: (...chosen) =>
      Float64Array.from(chosen.flatMap((i) => [starts[i]!, starts[i]! + lists[i]!.length]))
  }
}
async function search(
  postings: Postings,
  query: Partial<InvertedQuery> & Pick<InvertedQuery, 'bounds'>
) {
  const weights = query.weights ?? new Float32Array(query.bounds.length / 2).fill(1)
  const { ids, distances } = await searchInverted(postings, {
    k: 10,
    deleted: nothingDeleted,
    ...query,
    weights
  })
  return [...ids].flatMap((id, i) => (id < 0 ? [] : [[id, Math.fround(distances[i]!)]]))
}

test('rows that are in a list of the query are ranked by the sum of weight x value, equal ones by row', async () => {
  const { postings, boundsOf } = postingsOf(
    [
      [
        [0, 1],
        [2, 2],
        [5, 1]
      ],
      [
        [2, 1],
        [3, 4]
      ],
      [[4, 9]]
    ],
    6
  )
  expect(
    await search(postings, { bounds: boundsOf(0, 1), weights: Float32Array.of(1, 0.5) })
  ).toEqual([
    [2, 2.5],
    [3, 2],
    [0, 1],
    [5, 1]
  ])
  expect(
    await search(postings, { bounds: boundsOf(0, 1), weights: Float32Array.of(-1, 1), k: 2 })
  ).toEqual([
    [3, 4],
    [0, -1]
  ])
  expect(await search(postings, { bounds: boundsOf() })).toEqual([])
})

test('a row whose sum is zero is found, one that is in no list is not', async () => {
  const { postings, boundsOf } = postingsOf(
    [
      [[1, 1]],
      [
        [1, -1],
        [2, 1e-45]
      ]
    ],
    4
  )
  expect(
    await search(postings, { bounds: boundsOf(0, 1), weights: Float32Array.of(1, 1) })
  ).toEqual([
    [2, Math.fround(1e-45)],
    [1, 0]
  ])
  expect(await search(postings, { bounds: boundsOf(1), weights: Float32Array.of(-1e-45) })).toEqual(
    [
      [1, Math.fround(1e-45)],
      [2, -0]
    ]
  )
})

test('what is deleted is not found, and over many blocks the best are those of a plain scan', async () => {
  const rowCount = 70_000
  const value = (term: number, row: number): number =>
    ((row * 7919 + term * 104_729) % 1009) / 1009 - 0.3
  const lists = [3, 5, 11].map((step, term) =>
    Array.from(
      { length: Math.floor(rowCount / step) },
      (_, i) => [i * step, value(term, i * step)] as const
    )
  )
  const { postings, boundsOf } = postingsOf(lists, rowCount)
  const deleted = new Uint8Array(rowCount / 8).map((_, i) => {
    if (i % 3 === 0) return 0xff
    return i % 5 === 0 ? 0x0f : 0
  })
  const weights = Float32Array.of(0.9, -0.4, 1.3)
  const sums = new Map<number, number>()
  lists.forEach((list, term) =>
    list.forEach(([row, one]) =>
      sums.set(row, (sums.get(row) ?? 0) + weights[term]! * Math.fround(one))
    )
  )
  const expected = [...sums]
    .filter(([row]) => (deleted[row >> 3]! & (1 << (row & 7))) === 0)
    .map(([row, sum]) => [row, Math.fround(sum)] as const)
    .sort((a, b) => b[1] - a[1] || a[0] - b[0])
  expect(await search(postings, { bounds: boundsOf(0, 1, 2), weights, deleted, k: 500 })).toEqual(
    expected.slice(0, 500)
  )
})

test('lists that would reach outside the rows or the postings are refused', async () => {
  for (const rows of [
    [0, 6],
    [-1, 2],
    [70_000, 2]
  ]) {
    await expect(
      search(
        { rows: Int32Array.from(rows), values: Float32Array.of(1, 1), rowCount: 6 },
        { bounds: Float64Array.of(0, 2) }
      )
    ).rejects.toMatchObject({ code: 'data_corrupt' })
  }
  const far = { rows: Int32Array.of(20_000, 1), values: Float32Array.of(1, 1), rowCount: 30_000 }
  await expect(search(far, { bounds: Float64Array.of(0, 2) })).rejects.toMatchObject({
    code: 'data_corrupt'
  })
  const good = { rows: Int32Array.of(0, 1), values: Float32Array.of(1, 1), rowCount: 2 }
  for (const bounds of [
    [0, 3],
    [-1, 1],
    [2, 1],
    [NaN, 1],
    [0, Infinity]
  ])
    await expect(search(good, { bounds: Float64Array.from(bounds) })).rejects.toMatchObject({
      code: 'invalid_argument'
    })
  await expect(
    search({ ...good, values: Float32Array.of(1) }, { bounds: Float64Array.of(0, 1) })
  ).rejects.toMatchObject({ code: 'invalid_argument' })
  await expect(
    search(good, { bounds: Float64Array.of(0, 1), weights: Float32Array.of(1, 1) })
  ).rejects.toMatchObject({ code: 'invalid_argument' })
  await expect(search(good, { bounds: Float64Array.of(0, 1), k: 0 })).rejects.toMatchObject({
    code: 'invalid_argument'
  })
})
