// Writes one immutable segment: item table, payload and index of a set of items, sorted by id hash.
import { setImmediate } from 'node:timers/promises'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { joinRows, rowCount, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { ColumnBuilder } from '../columns/column-builder.ts'
import { encodeColumns } from '../columns/column-file.ts'
import { encodeRowFile } from '../files/row-file.ts'
import { type Attributes, readAttributes } from '../item/item-payload.ts'
import type { ItemVersion } from '../item/item-version.ts'
import { indexMetric, keepsVectors, type SegmentConfig } from '../vector-index/segment-config.ts'
import { tuningOf } from '../vector-index/tune-index.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { createItemTable, hashBytes, type ItemTable } from './item-table.ts'
import type { Quantizer } from './quantizer.ts'
import type { BuiltIndex, SegmentFiles } from './segment-files.ts'

export interface SegmentItem {
  hash: Buffer
  version: ItemVersion
  /** Number of the arrival; 0 while arrivals of the collection have none. */
  arrival: number
  payload: Buffer
  /** Of the payload. Absent: they are read from it. */
  attributes?: Attributes
  /** At least one row. */
  vectors: VectorRows
}

export interface WrittenSegment {
  ref: ManifestSegment
  meta: ItemTable
}

export const tunedOf = ({ tuned }: BuiltIndex): Pick<ManifestSegment, 'tuned'> =>
  tuned === undefined ? {} : { tuned }

export interface SegmentWrite {
  files: SegmentFiles
  keys: CollectionKeys
  spec: CollectionSpec
  id: string
  config: SegmentConfig
  /** Needed for segment configs that use a quantizer. */
  quantizer?: Quantizer
  /** Sorted by hash, each only once. */
  items: readonly SegmentItem[]
}

/** Prefix and place of an item in one exact number: 32 bits, then 21. */
const places = 2 ** 21

/** Returns the items by ascending hash. Their first four bytes order almost all of them. */
export function sortedByHash<T extends { hash: Buffer }>(items: readonly T[]): T[] {
  if (items.length > places) return items.toSorted((a, b) => a.hash.compare(b.hash))
  const keys = new Float64Array(items.length)
  for (let i = 0; i < items.length; i++) keys[i] = items[i]!.hash.readUInt32BE(0) * places + i
  keys.sort()
  const sorted = Array.from(keys, (key) => items[key % places]!)
  const isAlike = (i: number): boolean =>
    Math.floor(keys[i - 1]! / places) === Math.floor(keys[i]! / places)
  for (let i = 1; i < sorted.length; i++)
    for (
      let at = i;
      at > 0 && isAlike(at) && sorted[at - 1]!.hash.compare(sorted[at]!.hash) > 0;
      at--
    )
      [sorted[at - 1], sorted[at]] = [sorted[at]!, sorted[at - 1]!]
  return sorted
}

function layOut(items: readonly SegmentItem[], dim: number) {
  const vectors = joinRows(items.map((item) => item.vectors))
  const { meta, arrivals, body } = createItemTable(items.length, rowCount(vectors, dim))
  let row = 0
  let offset = 0
  items.forEach((item, i) => {
    meta.revision[i] = item.version.revision
    meta.ordinal[i] = item.version.ordinal
    arrivals[i] = item.arrival
    item.hash.copy(meta.hashes, i * hashBytes)
    meta.firstRow[i] = row
    meta.payloadOffset[i] = offset
    row += rowCount(item.vectors, dim)
    offset += item.payload.length
  })
  meta.firstRow[items.length] = row
  meta.payloadOffset[items.length] = offset
  return { meta, body, vectors, payload: Buffer.concat(items.map((item) => item.payload)) }
}

/**
 * Number of items from which a segment has a columns file. The payloads of fewer items are read as
 * fast as such a file is fetched.
 */
export const columnsFromItems = 512
const itemsPerTurn = 4096

async function columnsOf(items: readonly SegmentItem[]): Promise<Uint8Array | undefined> {
  if (items.length < columnsFromItems) return undefined
  const builder = new ColumnBuilder()
  for (const [i, { payload, attributes }] of items.entries()) {
    if (i % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
    builder.add(attributes ?? readAttributes(payload))
  }
  return encodeColumns(builder.build())
}

export async function writeSegment({
  files,
  keys,
  spec,
  id,
  config,
  quantizer,
  items
}: SegmentWrite): Promise<WrittenSegment> {
  const { dim } = spec.embedding
  const { meta, body, vectors, payload } = layOut(items, dim)
  const encodedColumns = await columnsOf(items)
  const shared = quantizer && { nlist: quantizer.ref.nlist, body: quantizer.body }
  const [index, metaRef, payloadRef, columns, full] = await Promise.all([
    files.putIndex(
      keys.segmentFile(id, 'index'),
      {
        config,
        dim,
        metric: indexMetric(spec.metric),
        quantizer: shared,
        tuning: tuningOf(spec)
      },
      { count: meta.rows, pieces: [vectors] }
    ),
    files.put(keys.segmentFile(id, 'meta'), body),
    files.put(keys.segmentFile(id, 'payload'), payload),
    encodedColumns && files.put(keys.segmentFile(id, 'columns'), encodedColumns),
    keepsVectors(config, spec)
      ? files.put(keys.segmentFile(id, 'vectors'), encodeRowFile(vectors))
      : undefined
  ])
  const ref: ManifestSegment = {
    id,
    ...config,
    ...tunedOf(index),
    items: meta.items,
    rows: meta.rows,
    files: { index: index.file, meta: metaRef, payload: payloadRef, columns, vectors: full },
    deletions: null,
    ...(quantizer && { quantizer: { key: quantizer.ref.key, nlist: quantizer.ref.nlist } })
  }
  return { ref, meta }
}
