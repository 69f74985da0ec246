// A segment as one version sees it: with its deletions, and narrowed to what a filter lets through.
import { setImmediate } from 'node:timers/promises'
import type { Filter } from '@likeness/shared/contract/filter'
import { Bitmap } from './bitmap.ts'
import { compileFilter, filterColumns } from './filter-match.ts'
import type { ItemTest } from './filter-match.ts'
import type { LoadedSegment } from './loaded-segment.ts'
import { Recent } from './recent.ts'
import type { SegmentMeta } from './segment-meta.ts'

export interface Part {
  segment: LoadedSegment
  /** Rows that are not answered. */
  deleted: Bitmap
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

/** Bitmaps of as many filters are kept, per segment and per version. */
export const recentFilters = 8
/** Deciding about an item takes some nanoseconds; other work gets its turn in between. */
const itemsPerTurn = 65_536

export const openPart = (segment: LoadedSegment, deleted: Bitmap): Part => ({ segment, deleted, survivors: undefined, narrowed: new Recent(recentFilters) })

/** Rows of the items that fail the test. */
export async function rowsExcluded({ items, rows, firstRow }: SegmentMeta, test: ItemTest): Promise<Bitmap> {
  const bytes = new Uint8Array((rows + 7) >> 3)
  for (let item = 0; item < items; item++) {
    if (item % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
    if (test(item)) continue
    for (let row = firstRow[item]!; row < firstRow[item + 1]!; row++) bytes[row >> 3]! |= 1 << (row & 7)
  }
  return Bitmap.ofBytes(rows, bytes)
}

async function excludedBy(segment: LoadedSegment, { filter, key }: KeyedFilter): Promise<Bitmap> {
  return await segment.excluded.get(key, async () => {
    const columns = await segment.columns.getAll(filterColumns(filter))
    return await rowsExcluded(segment.meta, compileFilter(filter, columns))
  })
}

export async function narrowPart(part: Part, filter: KeyedFilter): Promise<Part> {
  return await part.narrowed.get(filter.key, async () => openPart(part.segment, part.deleted.union(await excludedBy(part.segment, filter))))
}
