// Segment view: a segment in one version, with the deletions and payload updates of that version. A
// filtered view has only the items that match a filter.
import type { Filter } from '@likeness/shared/contract/filter'
import { RecentResults } from '@likeness/shared/data/recent-results'
import { Turns } from '@likeness/shared/process/turns'
import { attributeReader } from '../columns/attribute-reader.ts'
import { matchItems } from '../columns/filter-items.ts'
import { filterColumns, matchesFilter } from '../columns/filter-match.ts'
import type { StoredItem } from '../contract.ts'
import { applyUpdate, type PayloadUpdates } from '../item/payload-updates.ts'
import type { ItemTable } from '../segment/item-table.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { LabelChanges } from './label-codes.ts'
import { type LoadedSegment, recentFilters } from './loaded-segment.ts'

export interface SegmentView {
  /** Entry in the manifest of this version. The entry that the loaded segment has may be older. */
  ref: ManifestSegment
  segment: LoadedSegment
  /** Rows that are left out of answers. */
  deleted: Bitmap
  updates: PayloadUpdates
  /** All other rows, listed when there are only a few. */
  liveRows: Int32Array | undefined
  /** Filtered views by filter. */
  filtered: RecentResults<SegmentView>
  /** The one value that is made when it is needed. */
  labelChanges: RecentResults<LabelChanges>
}
/** `key`: equal for equal filters. */
export interface KeyedFilter {
  filter: Filter
  key: string
}

/** Items between two looks at the time. A test takes some nanoseconds. */
const itemsPerLook = 16_384

export const openView = ({
  ref,
  segment,
  deleted,
  updates
}: Pick<SegmentView, 'ref' | 'segment' | 'deleted' | 'updates'>): SegmentView => ({
  ref,
  segment,
  deleted,
  updates,
  liveRows: undefined,
  filtered: new RecentResults(recentFilters),
  labelChanges: new RecentResults(1)
})

/** Reads items in their current state. The items must be ascending and close together. */
export async function readItems(
  { ref: { restored = 0 }, segment, updates }: SegmentView,
  items: readonly number[]
): Promise<StoredItem[]> {
  const stored = await segment.readItems(items)
  return stored.map((one, i) =>
    applyUpdate(
      one.revision < restored ? { ...one, revision: restored } : one,
      updates.get(items[i]!)
    )
  )
}

function mark(bytes: Uint8Array, { firstRow }: ItemTable, item: number, excluded: boolean): void {
  for (let row = firstRow[item]!; row < firstRow[item + 1]!; row++) {
    if (excluded) bytes[row >> 3]! |= 1 << (row & 7)
    else bytes[row >> 3]! &= ~(1 << (row & 7))
  }
}

/** Returns the rows of the items that fail the test. */
export async function rowsExcluded(
  meta: ItemTable,
  test: (item: number) => boolean,
  turns = new Turns()
): Promise<Bitmap> {
  const bytes = new Uint8Array((meta.rows + 7) >> 3)
  for (let item = 0; item < meta.items; item++) {
    if (item % itemsPerLook === itemsPerLook - 1) await turns.take()
    if (!test(item)) mark(bytes, meta, item, true)
  }
  return Bitmap.ofBytes(meta.rows, bytes)
}

async function excludedBy(view: SegmentView, { filter, key }: KeyedFilter): Promise<Bitmap> {
  const { segment, updates } = view
  const turns = new Turns()
  const columns = () => segment.columns.getAll(filterColumns(filter))
  const written = await segment.excluded.get(key, async () => {
    const { items } = segment.meta
    const matches = await matchItems(filter, { columns: await columns(), items, turns })
    return await rowsExcluded(segment.meta, (item) => matches[item] === 1, turns)
  })
  if (updates.size === 0) return written
  const bytes = written.bytes.slice()
  const read = attributeReader(updates, await columns())
  for (const item of updates.keys()) {
    await turns.take()
    mark(bytes, segment.meta, item, !matchesFilter(filter, (name) => read(item, name)))
  }
  return Bitmap.ofBytes(segment.meta.rows, bytes)
}

export async function filterView(view: SegmentView, filter: KeyedFilter): Promise<SegmentView> {
  return await view.filtered.get(filter.key, async () =>
    openView({ ...view, deleted: view.deleted.union(await excludedBy(view, filter)) })
  )
}
