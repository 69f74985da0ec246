// Tests a graph by inner product. The graph keeps f32 rows as two planes and reads only the first
// plane during the walk. Only the speed may differ.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { FaissIndex } from '../src/faiss-index.ts'
import { readForeignVectors } from '../src/foreign-vectors.ts'
import { bestRows, idLists, recall } from '../src/testing/brute-force.ts'
import { indexOf } from '../src/testing/every-kind.ts'
import { gaussianVectors, unitVectors } from '../src/testing/seeded-vectors.ts'

const k = 10
const folder = temporaryFolder('planes')

const bitsOf = (vectors: Float32Array): number[] =>
  Array.from(new Uint32Array(vectors.buffer, vectors.byteOffset, vectors.length))
const allRows = (count: number): Int32Array => Int32Array.from({ length: count }, (_, row) => row)

function scaleToUnit(vectors: Float32Array, dim: number): Float32Array {
  for (let at = 0; at < vectors.length; at += dim) {
    const one = vectors.subarray(at, at + dim)
    const length = Math.hypot(...one)
    one.forEach((value, i) => (one[i] = value / length))
  }
  return vectors
}

/**
 * Returns values at every limit of the split into halves: ties, carries into the exponent,
 * subnormal, largest, both signs, zeros.
 */
function oddValues(dim: number): Float32Array {
  const bits = [
    0x3f808000, 0x3f808001, 0x3f807fff, 0x3fffffff, 0x3f7fffff, 0x00000001, 0x007fffff, 0x00008000,
    0x7f7effff, 0x7f7f7fff, 0x7f7fffff, 0, 0x12345678
  ]
  const values = Uint32Array.from(
    { length: dim },
    (_, i) => bits[(i >> 1) % bits.length]! | (i % 2 === 0 ? 0 : 0x80000000)
  )
  return new Float32Array(values.buffer)
}

describe('rows of an HNSW graph by inner product', () => {
  it('come back as the very bits that were given, also from a file and in other places', async () => {
    const dim = 37
    const vectors = gaussianVectors(1, 90, dim)
    vectors.set(oddValues(dim), 3 * dim)
    const index = await indexOf({ kind: 'hnsw', metric: 'ip' }, vectors, dim)
    expect(bitsOf(await index.reconstruct(allRows(90)))).toEqual(bitsOf(vectors))
    await index.write(join(folder, 'planes.index'))
    const read = await FaissIndex.read(join(folder, 'planes.index'))
    expect(bitsOf(await read.reconstruct(allRows(90)))).toEqual(bitsOf(vectors))
    await read.renumber(allRows(90).reverse())
    expect(bitsOf(await read.reconstruct(allRows(90).reverse()))).toEqual(bitsOf(vectors))
  })

  it('are f32 in a file for any Faiss', async () => {
    const vectors = gaussianVectors(2, 50, 24)
    const index = await indexOf({ kind: 'hnsw', metric: 'ip' }, vectors, 24)
    await index.exportTo(join(folder, 'plain.faiss'))
    expect(bitsOf((await readForeignVectors(join(folder, 'plain.faiss'))).vectors)).toEqual(
      bitsOf(vectors)
    )
  })

  it.each([5, 16, 100, 512])(
    'score as in an exact index, within a few last bits, at %i dimensions',
    async (dim) => {
      const vectors = unitVectors(3, 400, dim)
      const queries = unitVectors(4, 20, dim)
      const [graph, flat] = [
        await indexOf({ kind: 'hnsw', metric: 'ip' }, vectors, dim),
        await indexOf({ kind: 'flat', metric: 'ip' }, vectors, dim)
      ]
      const found = await graph.search(queries, { k, efSearch: 400 })
      const exact = await flat.search(queries, { k })
      expect(found.ids).toEqual(exact.ids)
      // Without AVX-512 the two add the numbers that are left over in another order.
      const [seen, told] = [bitsOf(found.distances), bitsOf(exact.distances)]
      const away = Array.from(seen, (bits, i) => Math.abs(bits - told[i]!))
      expect(Math.max(...away)).toBeLessThanOrEqual(4)
    }
  )

  it.each([
    { told: 'within two degrees of each other', spread: 0.02, groups: 1 },
    { told: 'in fifty groups of near copies', spread: 0.004, groups: 50 }
  ])(
    'are found where the first plane tells too little: $told',
    async ({ told, spread, groups }) => {
      const dim = 64
      const centres = unitVectors(6, groups, dim)
      const vectors = scaleToUnit(
        unitVectors(5, 3000, dim).map(
          (value, i) => spread * value + centres[(Math.floor(i / dim) % groups) * dim + (i % dim)]!
        ),
        dim
      )
      const queries = vectors.slice(0, 40 * dim)
      const graph = await indexOf({ kind: 'hnsw', metric: 'ip' }, vectors, dim)
      await graph.write(join(folder, 'near.index'))
      for (const index of [graph, await FaissIndex.read(join(folder, 'near.index'))]) {
        const { ids } = await index.search(queries, { k, efSearch: 128 })
        const share = recall(idLists(ids, k), bestRows({ vectors, dim, metric: 'ip' }, queries, k))
        console.log(`recall@10 ${told}: ${share.toFixed(3)}`)
        expect(share).toBeGreaterThan(0.95)
      }
    }
  )
})
