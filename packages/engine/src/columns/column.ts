// An attribute of a segment's items, as codes into a sorted dictionary: 0 no value, 1 false, 2
// true, then the numbers, then the strings.
import type { FilterScalar } from '@likeness/shared/contract/filter'

export type Codes = Uint8Array | Uint16Array | Uint32Array

export interface Column {
  /**
   * [values], ascending: the items that have a value. undefined: `codes` has an entry for every
   * item.
   */
  items: Uint32Array | undefined
  codes: Codes
  /** Ascending, each only once. */
  numbers: Float64Array
  /** [strings + 1]: offsets in bytes of `text`. Strings are ascending as bytes, each only once. */
  offsets: Uint32Array
  text: Buffer
}

/** Column of an attribute that no item has. */
export const emptyColumn: Column = {
  items: new Uint32Array(0),
  codes: new Uint8Array(0),
  numbers: new Float64Array(0),
  offsets: new Uint32Array(1),
  text: Buffer.alloc(0)
}

export const noValue = 0
const falseCode = 1
const trueCode = 2
export const firstNumberCode = 3

export const codeCount = ({ numbers, offsets }: Pick<Column, 'numbers' | 'offsets'>): number =>
  firstNumberCode + numbers.length + offsets.length - 1

/**
 * First byte of a string that UTF-8 cannot hold (half a surrogate pair). UTF-16 follows. The byte
 * 0xff never starts UTF-8.
 */
const unpaired = 0xff
export function encodeText(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return bytes.toString('utf8') === value
    ? bytes
    : Buffer.concat([Buffer.of(unpaired), Buffer.from(value, 'utf16le')])
}
const decodeText = (bytes: Buffer): string =>
  bytes[0] === unpaired ? bytes.toString('utf16le', 1) : bytes.toString('utf8')

/**
 * Returns the first index in [0, length) for which `isBelow` is false. `isBelow` must be true for
 * all indexes before.
 */
export function lowerBound(length: number, isBelow: (index: number) => boolean): number {
  let low = 0
  let high = length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (isBelow(middle)) low = middle + 1
    else high = middle
  }
  return low
}

function stringCode({ numbers, offsets, text }: Column, value: string): number | undefined {
  const wanted = encodeText(value)
  const order = (i: number): number =>
    text.compare(wanted, 0, wanted.length, offsets[i]!, offsets[i + 1]!)
  const at = lowerBound(offsets.length - 1, (i) => order(i) < 0)
  return at < offsets.length - 1 && order(at) === 0
    ? firstNumberCode + numbers.length + at
    : undefined
}

/** Returns undefined when no item has this value. */
export function codeOf(column: Column, value: FilterScalar): number | undefined {
  if (typeof value === 'boolean') return value ? trueCode : falseCode
  if (typeof value === 'string') return stringCode(column, value)
  const at = lowerBound(column.numbers.length, (i) => column.numbers[i]! < value)
  return column.numbers[at] === value ? firstNumberCode + at : undefined
}

/** Returns the codes [first, end) of the numbers within the bounds. */
export function codesWithin(
  { numbers }: Column,
  { gt, gte, lt, lte }: { gt?: number; gte?: number; lt?: number; lte?: number }
): [number, number] {
  const count = numbers.length
  const above = Math.max(
    gt === undefined ? 0 : lowerBound(count, (i) => numbers[i]! <= gt),
    gte === undefined ? 0 : lowerBound(count, (i) => numbers[i]! < gte)
  )
  const end = Math.min(
    lt === undefined ? count : lowerBound(count, (i) => numbers[i]! < lt),
    lte === undefined ? count : lowerBound(count, (i) => numbers[i]! <= lte)
  )
  return [firstNumberCode + above, firstNumberCode + Math.max(above, end)]
}

export function valueOf(
  { numbers, offsets, text }: Column,
  code: number
): FilterScalar | undefined {
  if (code === noValue) return undefined
  if (code < firstNumberCode) return code === trueCode
  const number = code - firstNumberCode
  if (number < numbers.length) return numbers[number]
  const string = number - numbers.length
  return decodeText(text.subarray(offsets[string], offsets[string + 1]))
}

export function codeAt({ items, codes }: Column, item: number): number {
  if (items === undefined) return codes[item]!
  const at = lowerBound(items.length, (i) => items[i]! < item)
  return items[at] === item ? codes[at]! : noValue
}

/** Returns a function from items to codes. A single caller must ask in ascending order of items. */
export function codeReader({ items, codes }: Column): (item: number) => number {
  if (items === undefined) return (item) => codes[item]!
  let at = 0
  return (item) => {
    while (at < items.length && items[at]! < item) at++
    return items[at] === item ? codes[at]! : noValue
  }
}
