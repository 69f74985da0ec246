// Builds the columns of a segment from its items' attributes, added in order.
import type { FilterScalar } from '@likeness/shared/contract/filter'
import type { Attributes } from '../item/item-payload.ts'
import {
  codeCount,
  type Codes,
  type Column,
  encodeText,
  firstNumberCode,
  noValue
} from './column.ts'

/**
 * Most columns of a segment. Further metadata keys have no column: a filter on such a key reads the
 * payload.
 */
const mostColumns = 1024

interface Growing {
  /** Index of each value in `values`. */
  places: Map<FilterScalar, number>
  items: number[]
  /** Index into `places` for each entry of `items`. */
  values: number[]
}

/** Column names in filters and in group_by: `label` or `metadata.KEY`. */
export const metadataColumn = (key: string): string => `metadata.${key}`
export const metadataKey = (column: string): string => column.slice('metadata.'.length)

export class ColumnBuilder {
  private readonly growing = new Map<string, Growing>()
  private readonly only: string | undefined
  private items = 0
  private full = false

  /** `only`: the only column to make. */
  constructor(only?: string) {
    this.only = only
  }

  /** False when there are attributes without a column. */
  get complete(): boolean {
    return !this.full
  }

  add({ label, metadata }: Attributes): void {
    this.put('label', label)
    for (const [key, value] of Object.entries(metadata)) this.put(metadataColumn(key), value)
    this.items++
  }

  private put(name: string, value: FilterScalar | null): void {
    if (value === null || (this.only !== undefined && name !== this.only)) return
    let column = this.growing.get(name)
    if (column === undefined) {
      if (this.growing.size === mostColumns) {
        this.full = true
        return
      }
      this.growing.set(name, (column = { places: new Map(), items: [], values: [] }))
    }
    let place = column.places.get(value)
    if (place === undefined) column.places.set(value, (place = column.places.size))
    column.items.push(this.items)
    column.values.push(place)
  }

  build(): { items: number; complete: boolean; columns: Map<string, Column> } {
    return {
      items: this.items,
      complete: this.complete,
      columns: new Map([...this.growing].map(([name, column]) => [name, code(column, this.items)]))
    }
  }
}

function code({ places, items, values }: Growing, itemCount: number): Column {
  const { numbers, offsets, text, codeOfPlace } = sortDictionary(places)
  const largest = codeCount({ numbers, offsets }) - 1
  const make = (length: number): Codes => {
    if (largest < 2 ** 8) return new Uint8Array(length)
    return largest < 2 ** 16 ? new Uint16Array(length) : new Uint32Array(length)
  }
  const width = make(0).BYTES_PER_ELEMENT
  if (items.length * (4 + width) < itemCount * width) {
    return {
      items: Uint32Array.from(items),
      codes: make(items.length).map((_, i) => codeOfPlace[values[i]!]!),
      numbers,
      offsets,
      text
    }
  }
  const codes = make(itemCount).fill(noValue)
  items.forEach((item, i) => (codes[item] = codeOfPlace[values[i]!]!))
  return { items: undefined, codes, numbers, offsets, text }
}

function sortDictionary(places: ReadonlyMap<FilterScalar, number>) {
  const codeOfPlace = new Uint32Array(places.size)
  const numbers: number[] = []
  const strings: { bytes: Buffer; place: number }[] = []
  for (const [value, place] of places) {
    if (typeof value === 'number') numbers.push(value)
    else if (typeof value === 'string') strings.push({ bytes: encodeText(value), place })
    else codeOfPlace[place] = value ? 2 : 1
  }
  const sorted = Float64Array.from(numbers).sort()
  sorted.forEach((value, i) => (codeOfPlace[places.get(value)!] = firstNumberCode + i))
  strings.sort((a, b) => a.bytes.compare(b.bytes))
  const offsets = new Uint32Array(strings.length + 1)
  strings.forEach(({ bytes, place }, i) => {
    offsets[i + 1] = offsets[i]! + bytes.length
    codeOfPlace[place] = firstNumberCode + sorted.length + i
  })
  return {
    numbers: sorted,
    offsets,
    text: Buffer.concat(strings.map(({ bytes }) => bytes)),
    codeOfPlace
  }
}
