import { describe, expect, it } from 'vitest'
import { everyKind, indexOf } from '../src/testing/every-kind.ts'
import { gaussianVectors } from '../src/testing/seeded-vectors.ts'

const dim = 20

describe.each(everyKind)('rows of $kind over $metric', ({ kind, metric }) => {
  const first = gaussianVectors(1, 300, dim)
  const more = gaussianVectors(2, 50, dim)

  it('come back as they were added, by number and by range, over several adds', async () => {
    const index = await indexOf({ kind, metric }, first, dim)
    await index.add(more)
    expect(index.ntotal).toBe(350)
    expect(await index.reconstructRange(0, 300)).toEqual(first)
    expect(await index.reconstructRange(300, 50)).toEqual(more)
    expect(await index.reconstructRange(350, 0)).toHaveLength(0)
    const picked = await index.reconstruct(Int32Array.of(310, 7, 7))
    expect(picked.subarray(0, dim)).toEqual(more.subarray(10 * dim, 11 * dim))
    expect(picked.subarray(dim, 2 * dim)).toEqual(first.subarray(7 * dim, 8 * dim))
    expect(picked.subarray(2 * dim)).toEqual(first.subarray(7 * dim, 8 * dim))
  })

  it('that are not there are refused', async () => {
    const index = await indexOf({ kind, metric }, first, dim)
    for (const row of [-1, 300, 2 ** 31 - 1]) {
      await expect(index.reconstruct(Int32Array.of(0, row))).rejects.toMatchObject({
        code: 'invalid_argument'
      })
      await expect(
        index.searchRows(first.subarray(0, dim), Int32Array.of(row), 1)
      ).rejects.toMatchObject({ code: 'invalid_argument' })
    }
    await expect(index.reconstructRange(299, 2)).rejects.toMatchObject({ code: 'invalid_argument' })
  })
})
