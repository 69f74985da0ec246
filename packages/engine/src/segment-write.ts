// Writes one immutable segment: meta, payload and index of a set of items, sorted by id hash.
import type { CollectionSpec, Metric } from '@likeness/shared/contract/collection'
import type { CollectionKeys } from '@likeness/shared/keys'
import type { ItemVersion } from './item-version.ts'
import type { IndexKind, ManifestSegment } from './manifest.ts'
import type { SegmentFiles } from './segment-files.ts'
import { createSegmentMeta, hashBytes } from './segment-meta.ts'
import type { SegmentMeta } from './segment-meta.ts'

export interface SegmentItem {
  hash: Buffer
  version: ItemVersion
  payload: Buffer
  /** [rows, dim], at least one row */
  vectors: Float32Array
}

export interface WrittenSegment {
  ref: ManifestSegment
  meta: SegmentMeta
}

/** Cosine rows are stored at unit length, so both use the inner product. */
export const faissMetric = (metric: Metric): 'ip' | 'l2' => (metric === 'L2' ? 'l2' : 'ip')

export interface SegmentWrite {
  files: SegmentFiles
  keys: CollectionKeys
  spec: CollectionSpec
  id: string
  kind: IndexKind
  centroids?: Float32Array
  /** Sorted by hash, each once. */
  items: readonly SegmentItem[]
}

export const byHash = (a: { hash: Buffer }, b: { hash: Buffer }): number => a.hash.compare(b.hash)

function layOut(items: readonly SegmentItem[], dim: number) {
  const rows = items.reduce((sum, item) => sum + item.vectors.length / dim, 0)
  const { meta, body } = createSegmentMeta(items.length, rows)
  const vectors = new Float32Array(rows * dim)
  let row = 0
  let offset = 0
  items.forEach((item, i) => {
    meta.revision[i] = item.version.revision
    meta.ordinal[i] = item.version.ordinal
    item.hash.copy(meta.hashes, i * hashBytes)
    meta.firstRow[i] = row
    meta.payloadOffset[i] = offset
    vectors.set(item.vectors, row * dim)
    row += item.vectors.length / dim
    offset += item.payload.length
  })
  meta.firstRow[items.length] = row
  meta.payloadOffset[items.length] = offset
  return { meta, body, vectors, payload: Buffer.concat(items.map((item) => item.payload)) }
}

export async function writeSegment({ files, keys, spec, id, kind, centroids, items }: SegmentWrite): Promise<WrittenSegment> {
  const { dim } = spec.embedding
  const { meta, body, vectors, payload } = layOut(items, dim)
  const [index, metaRef, payloadRef] = await Promise.all([
    files.putIndex(keys.segmentFile(id, 'index'), { kind, dim, metric: faissMetric(spec.metric), vectors, centroids }),
    files.put(keys.segmentFile(id, 'meta'), body),
    files.put(keys.segmentFile(id, 'payload'), payload)
  ])
  const ref: ManifestSegment = { id, index: kind, items: meta.items, rows: meta.rows, files: { index, meta: metaRef, payload: payloadRef }, deletions: null }
  return { ref, meta }
}
