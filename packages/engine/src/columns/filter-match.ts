// Tests a filter on one item whose values are known. Many items of a segment: see filter-items.ts.
import type { Condition, Filter, FilterScalar } from '@likeness/shared/contract/filter'
import { metadataColumn } from './column-builder.ts'

/** Returns the names of the columns that a filter uses. */
export function filterColumns({ label, metadata, any, not }: Filter): Set<string> {
  const names = new Set(Object.keys(metadata ?? {}).map(metadataColumn))
  if (label !== undefined) names.add('label')
  for (const inner of [...(any ?? []), ...(not === undefined ? [] : [not])])
    for (const name of filterColumns(inner)) names.add(name)
  return names
}

function holds(condition: Condition, value: FilterScalar | undefined): boolean {
  if (typeof condition !== 'object') return value === condition
  if ('in' in condition) return value !== undefined && condition.in.includes(value)
  if ('exists' in condition) return (value !== undefined) === condition.exists
  if ('not' in condition) return !holds(condition.not, value)
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = condition
  return typeof value === 'number' && value > gt && value >= gte && value < lt && value <= lte
}

/** `valueOf` returns the values of the item by column name. */
export function matchesFilter(
  { label, metadata, any, not }: Filter,
  valueOf: (name: string) => FilterScalar | undefined
): boolean {
  if (label !== undefined && !holds(label, valueOf('label'))) return false
  if (
    !Object.entries(metadata ?? {}).every(([key, condition]) =>
      holds(condition, valueOf(metadataColumn(key)))
    )
  )
    return false
  if (any !== undefined && !any.some((inner) => matchesFilter(inner, valueOf))) return false
  return not === undefined || !matchesFilter(not, valueOf)
}
