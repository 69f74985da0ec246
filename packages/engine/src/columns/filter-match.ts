// Compiles a filter over columns into one test per item. Each condition is evaluated once per
// dictionary entry, not once per item.
import type { Condition, Filter, FilterScalar } from '@likeness/shared/contract/filter'
import { metadataColumn } from './column-builder.ts'
import {
  codeCount,
  codeOf,
  codeReader,
  codesWithin,
  type Column,
  emptyColumn,
  noValue
} from './column.ts'

/** Tests items. A single caller must ask in ascending order of items. */
export type ItemTest = (item: number) => boolean

/** Returns the names of the columns that a filter uses. */
export function filterColumns({ label, metadata, any, not }: Filter): Set<string> {
  const names = new Set(Object.keys(metadata ?? {}).map(metadataColumn))
  if (label !== undefined) names.add('label')
  for (const inner of [...(any ?? []), ...(not === undefined ? [] : [not])])
    for (const name of filterColumns(inner)) names.add(name)
  return names
}

/** Per code: 1 when an item with this code passes. */
function passingCodes(condition: Condition, column: Column): Uint8Array {
  const passing = new Uint8Array(codeCount(column))
  if (typeof condition !== 'object') return mark(passing, codeOf(column, condition))
  if ('in' in condition) {
    for (const value of condition.in) mark(passing, codeOf(column, value))
    return passing
  }
  if ('exists' in condition)
    return condition.exists ? passing.fill(1, noValue + 1) : mark(passing, noValue)
  if ('not' in condition) return passingCodes(condition.not, column).map((passes) => 1 - passes)
  return passing.fill(1, ...codesWithin(column, condition))
}

function mark(passing: Uint8Array, code: number | undefined): Uint8Array {
  if (code !== undefined) passing[code] = 1
  return passing
}

function testOf(condition: Condition, column: Column = emptyColumn): ItemTest {
  const passing = passingCodes(condition, column)
  const read = codeReader(column)
  return (item) => passing[read(item)] === 1
}

export function compileFilter(
  { label, metadata, any, not }: Filter,
  columns: ReadonlyMap<string, Column | undefined>
): ItemTest {
  const tests: ItemTest[] = []
  if (label !== undefined) tests.push(testOf(label, columns.get('label')))
  for (const [key, condition] of Object.entries(metadata ?? {}))
    tests.push(testOf(condition, columns.get(metadataColumn(key))))
  if (any !== undefined) {
    const alternatives = any.map((inner) => compileFilter(inner, columns))
    tests.push((item) => alternatives.some((test) => test(item)))
  }
  if (not !== undefined) {
    const test = compileFilter(not, columns)
    tests.push((item) => !test(item))
  }
  return (item) => tests.every((test) => test(item))
}

function holds(condition: Condition, value: FilterScalar | undefined): boolean {
  if (typeof condition !== 'object') return value === condition
  if ('in' in condition) return value !== undefined && condition.in.includes(value)
  if ('exists' in condition) return (value !== undefined) === condition.exists
  if ('not' in condition) return !holds(condition.not, value)
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = condition
  return typeof value === 'number' && value > gt && value >= gte && value < lt && value <= lte
}

/** Does the same test for one item. `valueOf` returns its values by column name. */
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
