// Counts the labels of a segment by their codes.
import { Turns } from '@likeness/shared/process/turns'
import { codeCount, codeReader, type Column } from '../columns/column.ts'

/** Items between two looks at the time. An item takes some nanoseconds. */
const itemsPerLook = 65_536

/** [codes]: items of a segment by the code of their label, also deleted ones. */
export async function countCodes(column: Column, items: number): Promise<Uint32Array> {
  const counts = new Uint32Array(codeCount(column))
  const read = codeReader(column)
  const turns = new Turns()
  for (let item = 0; item < items; item++) {
    if (item % itemsPerLook === itemsPerLook - 1) await turns.take()
    counts[read(item)]!++
  }
  return counts
}

/** What a version has more or less than the segment as it was written. */
export interface LabelChanges {
  /** By the code of the label in the segment: minus the number of items that are gone. */
  gone: ReadonlyMap<number, number>
  /** By label: items that have the label by an update. */
  renamed: ReadonlyMap<string, number>
}
