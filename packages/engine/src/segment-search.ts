// Best items of one segment for one query: rows from Faiss, grouped by item, asked for again with more rows or more effort until k items are found.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { SearchResult } from '@likeness/faiss'
import type { Bitmap } from './bitmap.ts'
import type { LoadedSegment } from './loaded-segment.ts'
import { scoreOf } from './score.ts'
import { itemOfRow } from './segment-meta.ts'

export interface Part {
  segment: LoadedSegment
  deleted: Bitmap
  /** Live rows, made when few survive. */
  survivors: Int32Array | undefined
}
export interface Candidate {
  part: Part
  item: number
  /** Row within the item. */
  row: number
  score: number
  distance: number
}
export interface PartQuery {
  /** [dim] */
  vector: Float32Array
  k: number
  budget: number | undefined
  nlist: number
  spec: CollectionSpec
}

/** A graph search that may return only one row in ten or fewer loses recall (0.83 at 10 %, 0.37 at 1 %): survivors are scanned. */
const scanBelowLiveShare = 0.2

function survivorsOf(part: Part): Int32Array {
  if (part.survivors !== undefined) return part.survivors
  const rows = new Int32Array(part.segment.ref.rows - part.deleted.count)
  let at = 0
  for (let row = 0; row < part.segment.ref.rows; row++) if (!part.deleted.has(row)) rows[at++] = row
  return (part.survivors = rows)
}

/** Best row per item, best first, at most k. */
function groupByItem(part: Part, { ids, distances }: SearchResult, { k, spec }: PartQuery): Candidate[] {
  const best = new Map<number, Candidate>()
  const { meta } = part.segment
  for (let i = 0; i < ids.length && best.size < k; i++) {
    const row = ids[i]!
    if (row < 0) break
    const item = itemOfRow(meta, row)
    if (!best.has(item)) best.set(item, { part, item, row: row - meta.firstRow[item]!, ...scoreOf(spec, distances[i]!) })
  }
  return [...best.values()]
}

const foundRows = ({ ids }: SearchResult): number => {
  const end = ids.indexOf(-1)
  return end < 0 ? ids.length : end
}

/** At most k candidates; exactly k when the segment has k live items. */
export async function searchPart(part: Part, query: PartQuery): Promise<Candidate[]> {
  const { segment, deleted } = part
  const live = segment.ref.rows - deleted.count
  if (live === 0) return []
  const { index, meta } = segment
  const isGraph = index.kind === 'hnsw'
  let exact = isGraph && live < scanBelowLiveShare * segment.ref.rows
  let nprobe = Math.min(query.nlist, query.budget ?? Math.max(8, Math.ceil(Math.sqrt(query.nlist))))
  let rows = Math.min(live, Math.ceil((query.k * meta.rows) / meta.items) + query.k)
  for (;;) {
    const efSearch = Math.max(query.budget ?? Math.max(64, 4 * query.k), rows)
    const result = exact
      ? await index.searchRows(query.vector, survivorsOf(part), rows)
      : await index.search(query.vector, { k: rows, deleted: deleted.bytes, ...(isGraph ? { efSearch } : index.kind === 'ivf' ? { nprobe } : {}) })
    const candidates = groupByItem(part, result, query)
    if (candidates.length >= query.k) return candidates
    const found = foundRows(result)
    if (found < rows) {
      // The structure gave up before the rows ended.
      if (isGraph && !exact) exact = true
      else if (index.kind === 'ivf' && nprobe < query.nlist) nprobe = Math.min(query.nlist, nprobe * 4)
      else return candidates
    } else if (rows < live) rows = Math.min(live, rows * 4)
    else return candidates
  }
}
