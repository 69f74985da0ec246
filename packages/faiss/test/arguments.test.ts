import { describe, expect, it } from 'vitest'
import { FaissError } from '../src/faiss-error.ts'
import { FaissIndex } from '../src/faiss-index.ts'
import type { IndexSpec } from '../src/index-spec.ts'
import { everyKind, indexOf } from '../src/testing/every-kind.ts'
import { gaussianVectors } from '../src/testing/seeded-vectors.ts'

const dim = 8
const vectors = gaussianVectors(1, 60, dim)
const query = vectors.subarray(0, dim)

describe.each(everyKind)('$kind over $metric refuses', ({ kind, metric }) => {
  it('vectors and queries of another dimension', async () => {
    const index = await indexOf({ kind, metric }, vectors, dim)
    for (const call of [
      index.add(new Float32Array(dim + 1)),
      index.search(new Float32Array(dim - 1), { k: 1 }),
      index.rangeSearch(new Float32Array(dim + 1), { radius: 1 }),
      index.searchRows(new Float32Array(dim + 1), Int32Array.of(0), 1)
    ]) {
      await expect(call).rejects.toMatchObject({ name: 'FaissError', code: 'dimension_mismatch' })
    }
  })

  it('a k, an effort and arrays that make no sense', async () => {
    const index = await indexOf({ kind, metric }, vectors, dim)
    const bad = [
      index.search(query, { k: 0 }),
      index.search(query, { k: -1 }),
      index.search(query, { k: 1.5 }),
      index.search(query, { k: 1e9 }),
      index.search(vectors, { k: 2 ** 27 }),
      index.search(query, { k: 1, efSearch: 0 }),
      index.search(query, { k: 1, nprobe: NaN }),
      index.search(query, { k: 1, deleted: [1] as never }),
      index.search([0] as never, { k: 1 }),
      index.add(new Float64Array(dim) as never),
      index.rangeSearch(query, { radius: NaN }),
      index.searchRows(query, [1] as never, 1),
      index.write('')
    ]
    for (const call of bad) await expect(call).rejects.toMatchObject({ code: 'invalid_argument' })
    expect(index.ntotal).toBe(60)
  })

  it('everything after close, and lets what was called before it end', async () => {
    const index = await indexOf({ kind, metric }, vectors, dim)
    const before = [
      index.search(query, { k: 1 }),
      index.reconstructRange(0, 60),
      index.add(vectors)
    ]
    index.close()
    index.close()
    const calls = [
      index.search(query, { k: 1 }),
      index.add(vectors),
      index.rangeSearch(query, { radius: 0 }),
      index.searchRows(query, Int32Array.of(0), 1),
      index.reconstruct(Int32Array.of(0)),
      index.reconstructRange(0, 1),
      index.write('/tmp/never-written')
    ]
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: 'closed' })
    expect(() => index.ntotal).toThrow(FaissError)
    await expect(Promise.all(before)).resolves.toHaveLength(3)
  })
})

describe('create refuses', () => {
  it.each<[string, unknown, string]>([
    ['a kind that is not built', { kind: 'binary-flat', dim, metric: 'l2' }, 'invalid_argument'],
    ['an unknown metric', { kind: 'flat', dim, metric: 'cosine' }, 'invalid_argument'],
    ['dim 0', { kind: 'flat', dim: 0, metric: 'l2' }, 'invalid_argument'],
    ['a fractional dim', { kind: 'flat', dim: 1.5, metric: 'l2' }, 'invalid_argument'],
    ['m 1', { kind: 'hnsw', dim, metric: 'l2', m: 1 }, 'invalid_argument'],
    [
      'efConstruction 0',
      { kind: 'hnsw', dim, metric: 'l2', efConstruction: 0 },
      'invalid_argument'
    ],
    [
      'no centroids',
      { kind: 'ivf', dim, metric: 'l2', centroids: new Float32Array(0) },
      'invalid_argument'
    ],
    [
      'centroids of another dim',
      { kind: 'ivf', dim, metric: 'l2', centroids: new Float32Array(9) },
      'dimension_mismatch'
    ]
  ])('%s', (_name, spec, code) => {
    expect(() => FaissIndex.create(spec as IndexSpec)).toThrow(
      expect.objectContaining({ name: 'FaissError', code })
    )
  })
})
