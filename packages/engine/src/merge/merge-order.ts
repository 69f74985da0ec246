// Order of the rows of a merged segment, and the place of each input row: the live items of all
// inputs by hash, then the deleted rows that a kept graph must keep.
import { setImmediate } from 'node:timers/promises'
import { hashBytes } from '../segment/item-table.ts'
import type { OpenSegment } from '../segment/open-segment.ts'

export interface MergeOrder {
  /** Input of each item of the result, and the number of the item in that input. */
  input: Uint16Array
  item: Uint32Array
  /** Number of rows of items. */
  itemRows: number
  /** Number of all rows, including tombstones. */
  rows: number
  /** [rows] for each input: the new row, or -1. */
  places: Int32Array[]
}

const itemsPerTurn = 65_536
const done = Infinity

/**
 * Position in an input. `key` is the first 48 bits of the hash, nearly always enough to find the
 * smaller one.
 */
class Cursor {
  readonly input: OpenSegment
  item = -1
  key = 0

  constructor(input: OpenSegment) {
    this.input = input
    this.advance()
  }

  advance(): void {
    const { meta, deleted } = this.input
    do this.item++
    while (this.item < meta.items && deleted.has(meta.firstRow[this.item]!))
    this.key = this.item < meta.items ? meta.hashes.readUIntBE(this.item * hashBytes, 6) : done
  }

  isBefore(other: Cursor): boolean {
    if (this.key !== other.key || this.key === done) return this.key < other.key
    const at = other.item * hashBytes
    return (
      this.input.meta.hashes.compare(
        other.input.meta.hashes,
        at,
        at + hashBytes,
        this.item * hashBytes,
        (this.item + 1) * hashBytes
      ) < 0
    )
  }
}

/** `kept`: the input whose deleted rows stay, as the last rows; -1: no input. */
export async function orderMerge(
  inputs: readonly OpenSegment[],
  kept: number
): Promise<MergeOrder> {
  const most = inputs.reduce((sum, { meta }) => sum + meta.items, 0)
  const [input, item] = [new Uint16Array(most), new Uint32Array(most)]
  const places = inputs.map(({ meta }) => new Int32Array(meta.rows).fill(-1))
  const cursors = inputs.map((one) => new Cursor(one))
  let items = 0
  let row = 0
  for (; ; items++) {
    if (items % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
    let first = 0
    for (let i = 1; i < cursors.length; i++) if (cursors[i]!.isBefore(cursors[first]!)) first = i
    const next = cursors[first]!
    if (next.key === done) break
    input[items] = first
    item[items] = next.item
    const { firstRow } = next.input.meta
    for (let from = firstRow[next.item]!; from < firstRow[next.item + 1]!; from++)
      places[first]![from] = row++
    next.advance()
  }
  const itemRows = row
  const tombstones = places[kept]
  if (tombstones !== undefined)
    for (let from = 0; from < tombstones.length; from++)
      if (tombstones[from]! < 0) tombstones[from] = row++
  return {
    input: input.subarray(0, items),
    item: item.subarray(0, items),
    itemRows,
    rows: row,
    places
  }
}
