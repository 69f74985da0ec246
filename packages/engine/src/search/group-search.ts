// Finds the best items with a limit per group. Full groups are masked, and the search continues
// among the rest.
import type { FilterScalar } from '@likeness/shared/contract/filter'
import { attributeReader } from '../columns/attribute-reader.ts'
import { codeOf, codeReader, type Column, emptyColumn } from '../columns/column.ts'
import type { Bitmap } from '../version/bitmap.ts'
import { type Candidate, searchSegment, type SegmentQuery } from './segment-search.ts'
import { openView, rowsExcluded, type SegmentView } from './segment-view.ts'

export interface Grouping {
  /** Name of a column. */
  by: string
  /** Most items of one group. */
  size: number
}
export interface GroupedCandidate extends Candidate {
  /** undefined: the item is a group of its own. */
  group: FilterScalar | undefined
}

/** Returns the first k candidates, in order of score, that have room in their groups. */
export function takeByGroup(
  sorted: readonly GroupedCandidate[],
  k: number,
  { size }: Grouping
): GroupedCandidate[] {
  const counts = new Map<FilterScalar, number>()
  const taken: GroupedCandidate[] = []
  for (const candidate of sorted) {
    if (taken.length === k) break
    const { group } = candidate
    const count = group === undefined ? 0 : (counts.get(group) ?? 0)
    if (count >= size) continue
    if (group !== undefined) counts.set(group, count + 1)
    taken.push(candidate)
  }
  return taken
}

/**
 * Returns at most k candidates, exactly k when the segment has them. The grouped best k of each
 * segment are enough: every item of the overall best k is among the best k of its own segment. (An
 * item that ranks above it there is in the answer too, or an equally good item of the same group
 * is.)
 */
export async function searchGrouped(
  view: SegmentView,
  query: SegmentQuery,
  grouping: Grouping
): Promise<GroupedCandidate[]> {
  const columns = await view.segment.columns.getAll([grouping.by])
  const read = attributeReader(view.updates, columns)
  const groupOf = (item: number) => read(item, grouping.by)
  const taken: GroupedCandidate[] = []
  for (let rest = view, want = query.k; ; want *= 4) {
    const found = await searchSegment(rest, { ...query, k: want })
    const grouped = found.map(
      (candidate): GroupedCandidate => ({ ...candidate, group: groupOf(candidate.item) })
    )
    taken.splice(0, taken.length, ...takeByGroup([...taken, ...grouped], query.k, grouping))
    if (taken.length === query.k || found.length < want) return taken
    rest = openView({
      ...view,
      deleted: view.deleted.union(
        await takenOrFull(view, columns.get(grouping.by) ?? emptyColumn, {
          taken,
          groupOf,
          size: grouping.size
        })
      )
    })
  }
}

interface Groups {
  taken: readonly GroupedCandidate[]
  groupOf: (item: number) => FilterScalar | undefined
  size: number
}

/** Returns the rows of taken items and of items whose group is full. */
async function takenOrFull(
  { segment, updates }: SegmentView,
  column: Column,
  { taken, groupOf, size }: Groups
): Promise<Bitmap> {
  const counts = new Map<FilterScalar, number>()
  for (const { group } of taken)
    if (group !== undefined) counts.set(group, (counts.get(group) ?? 0) + 1)
  const full = new Set([...counts].filter(([, count]) => count >= size).map(([group]) => group))
  const fullCodes = new Set([...full].map((group) => codeOf(column, group)))
  const items = new Set(taken.map(({ item }) => item))
  const codeOfItem = codeReader(column)
  const hasRoom = (item: number): boolean => {
    if (!updates.has(item)) return !fullCodes.has(codeOfItem(item))
    const group = groupOf(item)
    return group === undefined || !full.has(group)
  }
  return await rowsExcluded(segment.meta, (item) => !items.has(item) && hasRoom(item))
}
