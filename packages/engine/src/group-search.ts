// Best items with at most so many of a kind: full groups are masked and the search goes on among the rest.
import type { FilterScalar } from '@likeness/shared/contract/filter'
import { codeAt, codeReader, noValue, valueOf } from './column.ts'
import type { Column } from './column.ts'
import { openPart, rowsExcluded } from './part.ts'
import type { Part } from './part.ts'
import { searchPart } from './segment-search.ts'
import type { Candidate, PartQuery } from './segment-search.ts'

export interface Grouping {
  /** Name of a column. */
  by: string
  /** Items of one group. */
  size: number
}
export interface GroupedCandidate extends Candidate {
  /** undefined: a group of its own. */
  group: FilterScalar | undefined
}

/** The first k of candidates in order of score that their groups have room for. */
export function takeByGroup(sorted: readonly GroupedCandidate[], k: number, { size }: Grouping): GroupedCandidate[] {
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
 * At most k candidates, exactly k when the segment has them. What the best k of several segments need of each is among the best k of
 * each: whatever is better in one segment and taken there has as good a stand-in in the whole.
 */
export async function searchGrouped(part: Part, query: PartQuery, grouping: Grouping): Promise<GroupedCandidate[]> {
  const column = await part.segment.columns.get(grouping.by)
  const groupOf = (item: number) => (column === undefined ? undefined : valueOf(column, codeAt(column, item)))
  const taken: GroupedCandidate[] = []
  for (let rest = part, want = query.k; ; want *= 4) {
    const found = await searchPart(rest, { ...query, k: want })
    const grouped = found.map((candidate): GroupedCandidate => ({ ...candidate, group: groupOf(candidate.item) }))
    taken.splice(0, taken.length, ...takeByGroup([...taken, ...grouped], query.k, grouping))
    if (taken.length === query.k || found.length < want || column === undefined) return taken
    rest = await withoutFull(part, column, taken, grouping)
  }
}

/** Neither what is taken nor what has no room. */
async function withoutFull(part: Part, column: Column, taken: readonly GroupedCandidate[], { size }: Grouping): Promise<Part> {
  const counts = new Map<number, number>()
  const items = new Set(taken.map(({ item }) => item))
  for (const item of items) {
    const code = codeAt(column, item)
    if (code !== noValue) counts.set(code, (counts.get(code) ?? 0) + 1)
  }
  const read = codeReader(column)
  const masked = await rowsExcluded(part.segment.meta, (item) => !items.has(item) && (counts.get(read(item)) ?? 0) < size)
  return openPart(part.segment, part.deleted.union(masked))
}
