// An index over a sample, built as a sealed segment of a collection would be. It lives in memory
// only. With it `likeness tune` and a benchmark compare methods and storage forms.
import type { IndexMethod, Metric } from '@likeness/shared/contract/collection'
import { listsFor } from '@likeness/shared/contract/index-memory'
import { isQuantized, type VectorStorage } from '@likeness/shared/contract/storage-forms'
import { train } from '../segment/train.ts'
import { rescored, rescoredRows } from '../search/rescore.ts'
import { toBits } from '../vector-index/bits.ts'
import { createSegmentIndex } from '../vector-index/open-index.ts'
import { indexMetric, needsQuantizer, type SegmentConfig } from '../vector-index/segment-config.ts'

export interface TrialSpec {
  method: IndexMethod
  metric: Metric
  /** Not used with hamming, which stores bits. */
  storage: VectorStorage
}

export interface TrialInput extends TrialSpec {
  /** [rows, dim]. Unit length for cosine, and for a graph by IP. */
  vectors: Float32Array
  dim: number
}

export interface TrialSearch {
  k: number
  /** efSearch or nprobe; without effect for FLAT. */
  budget: number
  /** Four rows for each wanted one are ranked again by their full vectors. */
  rescore: boolean
}

export interface Trial extends TrialSpec {
  rows: number
  /** Greatest budget that can have an effect. */
  mostBudget: number
  buildS: number
  /** Rows of the k best of a query, best first; -1: missing. */
  search(query: Float32Array, options: TrialSearch): Promise<Int32Array>
  close(): void
}

const rowsPerAdd = 4_096
const mostEfSearch = 4_096

/** Whether full vectors can rank the rows better than the stored ones do. */
export const mayRescore = ({ metric, storage }: TrialSpec): boolean =>
  metric !== 'hamming' && isQuantized(storage)

const configOf = ({ method, metric, storage }: TrialSpec): SegmentConfig => ({
  index: ({ FLAT: 'flat', HNSW32: 'hnsw', IVF: 'ivf' } as const)[method],
  storage: metric === 'hamming' ? 'bits' : storage
})

/** Throws FaissError where the vectors are too few for the quantizer. */
export async function openTrial(input: TrialInput): Promise<Trial> {
  const { method, metric, storage, dim } = input
  const isBits = metric === 'hamming'
  const vectors = isBits ? toBits(input.vectors, 0) : input.vectors
  const rows = vectors.length / dim
  const nlist = method === 'IVF' ? listsFor(rows) : 0
  const config = configOf(input)
  const startedMs = performance.now()
  const shared = { dim, metric: indexMetric(metric) }
  const quantizer = needsQuantizer(config)
    ? { nlist, body: await train({ vectors, ...shared, nlist, storage: config.storage }) }
    : undefined
  const index = createSegmentIndex({ config, ...shared, quantizer })
  try {
    await index.reserve(rows)
    for (let first = 0; first < rows; first += rowsPerAdd)
      await index.add(vectors.subarray(first * dim, Math.min(rows, first + rowsPerAdd) * dim))
    const buildS = (performance.now() - startedMs) / 1000
    const full = { read: async (ids: Int32Array) => rowsAt(vectors, dim, ids) }
    return {
      method,
      metric,
      storage,
      rows,
      mostBudget: { FLAT: 1, HNSW32: Math.min(mostEfSearch, rows), IVF: nlist }[method],
      buildS,
      async search(query, { k, budget, rescore }) {
        const asked = isBits ? toBits(query, 0) : query
        const wanted = rescore ? Math.min(rows, rescoredRows * k) : k
        const efSearch = Math.max(budget, wanted)
        const found = await index.search(asked, { k: wanted, efSearch, nprobe: budget })
        if (!rescore) return found.ids
        const again = { vectors: full, metric: shared.metric }
        return (await rescored(found, asked, again)).ids.subarray(0, k)
      },
      close: () => index.close()
    }
  } catch (error) {
    index.close()
    throw error
  }
}

function rowsAt(vectors: Float32Array, dim: number, ids: Int32Array): Float32Array {
  const out = new Float32Array(ids.length * dim)
  ids.forEach((id, i) => out.set(vectors.subarray(id * dim, (id + 1) * dim), i * dim))
  return out
}
