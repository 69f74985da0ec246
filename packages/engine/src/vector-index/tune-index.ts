// Finds the least effort at which a newly built index reaches the target recall of its collection.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { weighQueries, type WeightedPart } from '@likeness/shared/contract/embedding-parts'
import { weightedParts } from '@likeness/shared/contract/search-weights'
import { seededRandom } from '@likeness/shared/data/random'
import type { TunedEffort } from '../version/manifest.ts'
import type { SegmentIndex } from './segment-index.ts'

/**
 * Number of hits that recall is measured over. A query with more hits gets more effort in
 * proportion.
 */
export const tunedK = 10
const queries = 128
/**
 * Each query is like a new item that is not in the collection: as far from a row as the nearest
 * neighbour of that row.
 */
const neighbourRank = 2
const mostEffort = 8192

export interface Tuning {
  targetRecall: number
  /** Parts of a query with their weights; none: queries are compared as they are. */
  parts: readonly WeightedPart[]
}

/** Indexes are tuned for queries with the weights of the collection; undefined: not tuned. */
export function tuningOf(spec: CollectionSpec): Tuning | undefined {
  const { target_recall: targetRecall } = spec.settings
  return targetRecall === undefined ? undefined : { targetRecall, parts: weightedParts(spec) }
}

/** Yields 1, 2, 3, 4, 6, 8, 12, ... */
function* efforts(from: number, to: number): Iterable<number> {
  for (let base = from; base < to; base *= 2) {
    yield base
    if (base > 1 && base * 1.5 < to) yield base * 1.5
  }
  yield to
}

async function sampleQueries(index: SegmentIndex, all: Int32Array): Promise<Float32Array> {
  const { dim } = index
  const count = Math.min(queries, index.ntotal)
  const sampled = Int32Array.from({ length: count }, (_, i) =>
    Math.floor((i * index.ntotal) / count)
  )
  const rows = await index.reconstruct(sampled)
  const { ids } = await index.searchRows(rows, all, neighbourRank)
  const random = seededRandom(1)
  const neighbours = await index.reconstruct(sampled.map((_, q) => ids[q * neighbourRank + 1]!))
  for (let q = 0; q < count; q++) {
    const row = rows.subarray(q * dim, (q + 1) * dim)
    const distance = Math.sqrt(
      row.reduce((sum, value, i) => sum + (value - neighbours[q * dim + i]!) ** 2, 0)
    )
    const direction = Float32Array.from(row, () => 2 * random() - 1)
    const scale = distance / Math.hypot(...direction)
    const length = Math.hypot(...row)
    row.forEach((value, i) => (row[i] = value + scale * direction[i]!))
    // Where rows have different lengths, queries get the length of their row, so that inner
    // products stay comparable.
    const rescale = length / Math.hypot(...row)
    row.forEach((value, i) => (row[i] = value * rescale))
  }
  return rows
}

function recall(found: Int32Array, truth: readonly ReadonlySet<number>[], k: number): number {
  let [hits, wanted] = [0, 0]
  truth.forEach((rows, q) => {
    wanted += rows.size
    for (let i = 0; i < k; i++) if (rows.has(found[q * k + i]!)) hits++
  })
  return hits / wanted
}

/**
 * Measures recall@10 of 128 queries near rows of the index against exact search over the stored
 * vectors (so the loss by the storage is not counted). Returns undefined where every search is
 * exact, and over bits, whose many ties leave the best ten undefined. When even the greatest effort
 * is too small, returns that effort and its recall.
 */
export async function tuneIndex(
  index: SegmentIndex,
  { targetRecall, parts, nlist }: Tuning & { nlist: number }
): Promise<TunedEffort | undefined> {
  const { kind, metric, ntotal } = index
  if ((kind !== 'hnsw' && kind !== 'ivf') || metric === 'hamming' || ntotal <= tunedK)
    return undefined
  const all = Int32Array.from({ length: ntotal }, (_, row) => row)
  const vectors = weighQueries(await sampleQueries(index, all), parts)
  const { ids } = await index.searchRows(vectors, all, tunedK)
  const truth = Array.from(
    { length: ids.length / tunedK },
    (_, q) => new Set(ids.subarray(q * tunedK, (q + 1) * tunedK))
  )
  let tuned: TunedEffort | undefined
  const most = kind === 'ivf' ? nlist : Math.min(mostEffort, ntotal)
  for (const budget of efforts(Math.min(kind === 'ivf' ? 1 : 2 * tunedK, most), most)) {
    const found = await index.search(vectors, { k: tunedK, efSearch: budget, nprobe: budget })
    tuned = { budget, recall: recall(found.ids, truth, tunedK) }
    if (tuned.recall >= targetRecall) break
  }
  return tuned
}
