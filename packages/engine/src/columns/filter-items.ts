// Evaluates a filter over the columns of a segment: condition by condition, each in one pass over
// the items. Each condition is decided once per dictionary entry, not once per item. Memory: some
// bytes per item, however many conditions there are.
import type { Condition, Filter } from '@likeness/shared/contract/filter'
import type { Turns } from '@likeness/shared/process/turns'
import { metadataColumn } from './column-builder.ts'
import { codeCount, codeOf, codesWithin, type Column, emptyColumn, noValue } from './column.ts'

/** Items of one pass before other work may get a turn: some 50 microseconds. */
const itemsPerStretch = 65_536

export interface FilteredItems {
  columns: ReadonlyMap<string, Column | undefined>
  /** Number of items. */
  items: number
  turns: Turns
}

/** Returns uint8 [items]: 1 for each item that matches. */
export async function matchItems(filter: Filter, source: FilteredItems): Promise<Uint8Array> {
  const { label, metadata, any, not } = filter
  const matches = new Uint8Array(source.items).fill(1)
  if (label !== undefined) await keepPassing(matches, label, 'label', source)
  for (const [key, condition] of Object.entries(metadata ?? {}))
    await keepPassing(matches, condition, metadataColumn(key), source)
  if (any !== undefined) {
    const some = new Uint8Array(source.items)
    for (const inner of any)
      await combine(some, await matchItems(inner, source), source.turns, (a, b) => a | b)
    await combine(matches, some, source.turns, (a, b) => a & b)
  }
  if (not !== undefined)
    await combine(matches, await matchItems(not, source), source.turns, (a, b) => a & (1 - b))
  return matches
}

async function combine(
  into: Uint8Array,
  from: Uint8Array,
  turns: Turns,
  merge: (a: number, b: number) => number
): Promise<void> {
  for (let first = 0; first < into.length; first += itemsPerStretch) {
    const end = Math.min(into.length, first + itemsPerStretch)
    for (let item = first; item < end; item++) into[item] = merge(into[item]!, from[item]!)
    await turns.take()
  }
}

async function keepPassing(
  matches: Uint8Array,
  condition: Condition,
  name: string,
  { columns, turns }: FilteredItems
): Promise<void> {
  const column = columns.get(name) ?? emptyColumn
  const passing = passingCodes(condition, column)
  const { items, codes } = column
  for (let first = 0, at = 0; first < matches.length; first += itemsPerStretch) {
    const end = Math.min(matches.length, first + itemsPerStretch)
    if (items === undefined)
      for (let item = first; item < end; item++) matches[item]! &= passing[codes[item]!]!
    else at = keepPassingSparse(matches.subarray(0, end), first, { items, codes, passing, at })
    await turns.take()
  }
}

interface SparsePass {
  items: Uint32Array
  codes: Column['codes']
  passing: Uint8Array
  /** First entry of `items` that may be in the stretch. */
  at: number
}

/** Returns the first entry of `items` after the stretch [first, matches.length). */
function keepPassingSparse(
  matches: Uint8Array,
  first: number,
  { items, codes, passing, at }: SparsePass
): number {
  const absent = passing[noValue]!
  let from = first
  while (at < items.length && items[at]! < matches.length) {
    const item = items[at]!
    if (absent === 0) matches.fill(0, from, item)
    matches[item]! &= passing[codes[at]!]!
    from = item + 1
    at++
  }
  if (absent === 0) matches.fill(0, from)
  return at
}

/** Returns uint8 [codes]: 1 when an item with this code passes. */
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
