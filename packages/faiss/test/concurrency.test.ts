import { describe, expect, it } from 'vitest'
import { FaissIndex } from '../src/faiss-index.ts'
import { configurePool } from '../src/pool.ts'
import { bestRows, idLists } from '../src/testing/brute-force.ts'
import { everyKind, exhaustive } from '../src/testing/every-kind.ts'
import { gaussianVectors, unitVectors } from '../src/testing/seeded-vectors.ts'

const dim = 16
const k = 5

describe.each(everyKind)('$kind over $metric', ({ kind, metric }) => {
  it('answers searches called between adds with exactly the rows added before them', async () => {
    const spec = { dim, metric }
    const centroids = gaussianVectors(9, 4, dim)
    const index = FaissIndex.create(
      kind === 'ivf' ? { kind, ...spec, centroids } : { kind, ...spec }
    )
    const vectors = gaussianVectors(1, 600, dim)
    const queries = gaussianVectors(2, 4, dim)
    const searches = []
    const adds = []
    for (let rows = 100; rows <= 600; rows += 100) {
      adds.push(index.add(vectors.subarray((rows - 100) * dim, rows * dim)))
      for (let i = 0; i < 4; i++)
        searches.push({ rows, answer: index.search(queries, { k, ...exhaustive }) })
    }
    for (const { rows, answer } of searches) {
      const truth = bestRows({ vectors: vectors.subarray(0, rows * dim), dim, metric }, queries, k)
      expect(idLists((await answer).ids, k)).toEqual(truth)
    }
    await Promise.all(adds)
    expect(index.ntotal).toBe(600)
  })
})

describe('the pool', () => {
  it('leaves the event loop free while an index is built', async () => {
    const index = FaissIndex.create({ kind: 'hnsw', dim: 64, metric: 'ip' })
    let building = true
    let ticks = 0
    const tick = () => {
      ticks++
      if (building) setImmediate(tick)
    }
    setImmediate(tick)
    await index.add(unitVectors(3, 3000, 64)).finally(() => (building = false))
    expect(ticks).toBeGreaterThan(50)
  })

  it('answers for one index while another has a writer and a line of waiting searches', async () => {
    const busy = FaissIndex.create({ kind: 'hnsw', dim: 64, metric: 'ip' })
    const vectors = unitVectors(4, 3000, 64)
    const ended: string[] = []
    const slow = [busy.add(vectors).then(() => ended.push('add'))]
    for (let i = 0; i < 20; i++)
      slow.push(busy.search(vectors.subarray(0, 64), { k: 1 }).then(() => ended.push('busy')))
    const other = FaissIndex.create({ kind: 'flat', dim: 64, metric: 'ip' })
    await other.add(vectors.subarray(0, 640))
    await other.search(vectors.subarray(0, 64), { k: 1 })
    expect(ended).toEqual([])
    await Promise.all(slow)
    expect(ended[0]).toBe('add')
  })

  it('can no longer be configured once it runs, and refuses a size that makes no sense', () => {
    expect(() => configurePool({ threads: 2 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' })
    )
    expect(() => configurePool({ threads: 0 })).toThrow(
      expect.objectContaining({ code: 'invalid_argument' })
    )
  })
})
