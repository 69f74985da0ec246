// Our index and the peers behind a common interface: built in parts, searched query after query on
// a single thread.
import { join } from 'node:path'
import { FaissIndex } from '@likeness/faiss'
import type { Peers, UsearchIndex } from './peers.ts'

export interface Shape {
  dim: number
  rows: number
  k: number
  m: number
  efConstruction: number
}

export interface Contender {
  name: 'ours' | 'hnswlib' | 'usearch'
  /** Vectors of rows first... `prepare` does the work that is not the index's, without timing. */
  prepare(vectors: Float32Array, first: number): () => Promise<void> | void
  setEf(ef: number): void
  /** Rows of the k best of each query. */
  search(queries: Float32Array): Promise<ArrayLike<number | bigint>> | ArrayLike<number | bigint>
}

export function ourContender({ dim, k, m, efConstruction }: Shape): Contender {
  const index = FaissIndex.create({ kind: 'hnsw', dim, metric: 'ip', m, efConstruction })
  let efSearch = k
  return {
    name: 'ours',
    prepare: (vectors) => () => index.add(vectors),
    setEf: (ef) => (efSearch = ef),
    search: async (queries) => (await index.search(queries, { k, efSearch })).ids
  }
}

const split = (vectors: Float32Array, dim: number) =>
  Array.from({ length: vectors.length / dim }, (_, row) =>
    Array.from(vectors.subarray(row * dim, (row + 1) * dim))
  )

export function hnswlibContender(
  { hnswlib }: Peers,
  { dim, rows, k, m, efConstruction }: Shape
): Contender {
  const index = new hnswlib.HierarchicalNSW('ip', dim)
  index.initIndex(rows, m, efConstruction, 100)
  let given: Float32Array | undefined
  let points: number[][] = []
  return {
    name: 'hnswlib',
    prepare: (vectors, first) => {
      const added = split(vectors, dim)
      return () => added.forEach((point, i) => index.addPoint(point, first + i))
    },
    setEf: (ef) => index.setEf(ef),
    search: (queries) => {
      if (given !== queries) points = split(queries, dim)
      given = queries
      return points.flatMap((point) => index.searchKnn(point, k).neighbors)
    }
  }
}

/**
 * Wraps usearch. usearch takes the search effort when an index is made, so another effort reads the
 * same index again from a file.
 */
export function usearchContender(
  { usearch }: Peers,
  { dim, k, m, efConstruction }: Shape,
  dir: string
): Contender {
  const file = join(dir, 'usearch.index')
  const make = (ef: number) =>
    new usearch.Index({
      dimensions: dim,
      metric: 'ip',
      quantization: 'f32',
      connectivity: m,
      expansion_add: efConstruction,
      expansion_search: ef,
      multi: false
    })
  let index: UsearchIndex = make(k)
  let saved = false
  return {
    name: 'usearch',
    prepare: (vectors, first) => {
      const keys = BigUint64Array.from({ length: vectors.length / dim }, (_, i) =>
        BigInt(first + i)
      )
      return () => index.add(keys, vectors, 1)
    },
    setEf: (ef) => {
      if (!saved) index.save(file)
      saved = true
      index = make(ef)
      index.load(file)
    },
    search: (queries) => index.search(queries, k, 1).keys
  }
}
