// A segment as one version sees it: with its deletions and relabels, and narrowed to what a filter lets through.
import { setImmediate } from 'node:timers/promises'
import type { Filter } from '@likeness/shared/contract/filter'
import { Recent } from '@likeness/shared/data/recent'
import { attributeReader } from '../columns/attribute-reader.ts'
import { compileFilter, filterColumns, type ItemTest, matchesFilter } from '../columns/filter-match.ts'
import type { StoredItem } from '../contract.ts'
import { overlaid, type Overlays } from '../item/payload-updates.ts'
import type { SegmentMeta } from '../segment/item-table.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { type LoadedSegment, recentFilters } from './loaded-segment.ts'

export interface Part {
  /** As its manifest names it; that of the segment may be older. */
  ref: ManifestSegment
  segment: LoadedSegment
  /** Rows that are not answered. */
  deleted: Bitmap
  overlays: Overlays
  /** All others, made when few survive. */
  survivors: Int32Array | undefined
  /** By filter. */
  narrowed: Recent<Part>
}
/** `key`: equal for equal filters. */
export interface KeyedFilter {
  filter: Filter
  key: string
}

/** Deciding about an item takes some nanoseconds, about a relabelled one a microsecond; other work gets its turn in between. */
const itemsPerTurn = 65_536
const relabelledPerTurn = 1024

export const openPart = ({ ref, segment, deleted, overlays }: Pick<Part, 'ref' | 'segment' | 'deleted' | 'overlays'>): Part =>
  ({ ref, segment, deleted, overlays, survivors: undefined, narrowed: new Recent(recentFilters) })

/** As they are now. Ascending and close together. */
export async function readItems({ ref: { restored = 0 }, segment, overlays }: Part, items: readonly number[]): Promise<StoredItem[]> {
  const stored = await segment.readItems(items)
  return stored.map((one, i) => overlaid(one.revision < restored ? { ...one, revision: restored } : one, overlays.get(items[i]!)))
}

function mark(bytes: Uint8Array, { firstRow }: SegmentMeta, item: number, excluded: boolean): void {
  for (let row = firstRow[item]!; row < firstRow[item + 1]!; row++) {
    if (excluded) bytes[row >> 3]! |= 1 << (row & 7)
    else bytes[row >> 3]! &= ~(1 << (row & 7))
  }
}

/** Rows of the items that fail the test. */
export async function rowsExcluded(meta: SegmentMeta, test: ItemTest): Promise<Bitmap> {
  const bytes = new Uint8Array((meta.rows + 7) >> 3)
  for (let item = 0; item < meta.items; item++) {
    if (item % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
    if (!test(item)) mark(bytes, meta, item, true)
  }
  return Bitmap.ofBytes(meta.rows, bytes)
}

async function excludedBy(part: Part, { filter, key }: KeyedFilter): Promise<Bitmap> {
  const { segment, overlays } = part
  const columns = () => segment.columns.getAll(filterColumns(filter))
  const written = await segment.excluded.get(key, async () => await rowsExcluded(segment.meta, compileFilter(filter, await columns())))
  if (overlays.size === 0) return written
  const bytes = written.bytes.slice()
  const read = attributeReader(overlays, await columns())
  let decided = 0
  for (const item of overlays.keys()) {
    if (++decided % relabelledPerTurn === 0) await setImmediate()
    mark(bytes, segment.meta, item, !matchesFilter(filter, (name) => read(item, name)))
  }
  return Bitmap.ofBytes(segment.meta.rows, bytes)
}

export async function narrowPart(part: Part, filter: KeyedFilter): Promise<Part> {
  return await part.narrowed.get(filter.key, async () => openPart({ ...part, deleted: part.deleted.union(await excludedBy(part, filter)) }))
}
