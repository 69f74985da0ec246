import { describe, expect, it } from 'vitest'
import { rankAll, rowOf } from '../src/testing/brute-force.ts'
import { everyKind, exhaustive, indexOf } from '../src/testing/every-kind.ts'
import { integerVectors, isDeleted, seededBitmap } from '../src/testing/seeded-vectors.ts'

const dim = 16

describe.each(everyKind)('range search in $kind over $metric', ({ kind, metric }) => {
  const vectors = integerVectors(1, 900, dim)
  const queries = integerVectors(2, 12, dim)
  const radius = metric === 'ip' ? 40 : 130
  const inside = (distance: number) => (metric === 'ip' ? distance > radius : distance < radius)

  it('returns every live row strictly inside the radius, best first, and no other', async () => {
    const deleted = seededBitmap(3, 900, 0.3)
    const index = await indexOf({ kind, metric }, vectors, dim)
    const { lims, ids, distances } = await index.rangeSearch(queries, {
      radius,
      deleted,
      ...exhaustive
    })
    let total = 0
    for (let q = 0; q < 12; q++) {
      const truth = rankAll(
        { vectors, dim, metric },
        rowOf(queries, dim, q),
        (row) => !isDeleted(deleted, row)
      )
      const wanted = truth.filter((hit) => inside(hit.distance))
      expect(Array.from(ids.subarray(lims[q], lims[q + 1]))).toEqual(wanted.map((hit) => hit.row))
      expect(Array.from(distances.subarray(lims[q], lims[q + 1]))).toEqual(
        wanted.map((hit) => hit.distance)
      )
      total += wanted.length
    }
    expect(lims[12]).toBe(total)
    expect(total).toBeGreaterThan(12)
  })
})
