// Numbers of live items by label, for one version of a segment. The items of the segment are counted
// once; each version takes off what was deleted or got another label.
import { Turns } from '@likeness/shared/process/turns'
import { codeAt, codeOf, type Column, noValue } from '../columns/column.ts'
import { itemOfRow } from '../segment/item-table.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { LabelChanges } from './label-codes.ts'
import type { SegmentView } from './segment-view.ts'

async function labelChanges(
  { segment: { meta }, deleted, updates }: SegmentView,
  column: Column | undefined
): Promise<LabelChanges> {
  const gone = new Map<number, number>()
  const renamed = new Map<string, number>()
  const turns = new Turns()
  const leave = (item: number): void => {
    const code = column === undefined ? noValue : codeAt(column, item)
    gone.set(code, (gone.get(code) ?? 0) - 1)
  }
  let last = -1
  for (const row of deleted.since(new Bitmap(deleted.rows))) {
    const item = itemOfRow(meta, row)
    if (item === last) continue
    last = item
    await turns.take()
    leave(item)
  }
  for (const [item, { label }] of updates) {
    if (label === undefined || deleted.has(meta.firstRow[item]!)) continue
    leave(item)
    if (label !== null) renamed.set(label, (renamed.get(label) ?? 0) + 1)
  }
  return { gone, renamed }
}

/** Number of live items with the label in this version of the segment. */
export async function countLabel(view: SegmentView, label: string): Promise<number> {
  const { column, counts } = await view.segment.labels()
  const { gone, renamed } = await view.labelChanges.get('', () => labelChanges(view, column))
  const code = column && codeOf(column, label)
  const written = code === undefined ? 0 : counts[code]! + (gone.get(code) ?? 0)
  return written + (renamed.get(label) ?? 0)
}

/**
 * Returns a number of labels that this version does not exceed, counted to `most` or a little
 * further. An item without a label is a label of its own.
 */
export async function boundLabels(
  { segment, updates }: SegmentView,
  most: number
): Promise<number> {
  const { counts } = await segment.labels()
  const labelled = counts.subarray(noValue + 1)
  let bound = (counts[noValue] ?? 0) + updates.size
  for (let code = 0; code < labelled.length && bound < most; code++)
    if (labelled[code]! > 0) bound++
  return bound
}
