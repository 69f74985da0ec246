// Inputs of a merge, read in the order of the result, piece by piece.
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { OpenSegment } from '../segment/open-segment.ts'
import type { RowCursor } from '../segment/segment-cursors.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { GatheredRows } from './gathered-rows.ts'
import type { MergeOrder } from './merge-order.ts'
import type { MergeTask } from './merge-task.ts'

const rowsPerPiece = 4096

export interface Merging {
  files: SegmentFiles
  keys: CollectionKeys
  task: MergeTask
  inputs: OpenSegment[]
  order: MergeOrder
  /** Number of the input whose graph is kept; -1: no input. */
  kept: number
}

export async function withCursors<C extends { close(): Promise<void> }, T>(
  inputs: readonly OpenSegment[],
  open: (input: OpenSegment) => Promise<C>,
  use: (cursors: C[]) => Promise<T>
): Promise<T> {
  const cursors: C[] = []
  try {
    for (const input of inputs) cursors.push(await open(input))
    return await use(cursors)
  } finally {
    for (const cursor of cursors) await cursor.close()
  }
}

/**
 * Yields pieces of the vectors of all rows that have a place, or of some inputs only, in the order
 * of their places.
 */
export async function* vectorPieces(
  { inputs, order, task, kept }: Merging,
  cursors: readonly RowCursor[],
  isWanted: (input: number) => boolean
): AsyncIterable<VectorRows> {
  const gathered = new GatheredRows(task.spec.embedding, rowsPerPiece)
  async function* rowsInOrder(): AsyncIterable<VectorRows> {
    for (let i = 0; i < order.item.length; i++) {
      const input = order.input[i]!
      if (!isWanted(input)) continue
      const { firstRow } = inputs[input]!.meta
      for (let row = firstRow[order.item[i]!]!; row < firstRow[order.item[i]! + 1]!; row++)
        yield await cursors[input]!.read(row)
    }
    const places = order.places[kept]
    if (places === undefined || !isWanted(kept)) return
    for (let row = 0; row < places.length; row++)
      if (places[row]! >= order.itemRows) yield await cursors[kept]!.read(row)
  }
  for await (const vector of rowsInOrder()) {
    gathered.add(vector)
    if (gathered.isFull) yield gathered.take()
  }
  if (!gathered.isEmpty) yield gathered.take()
}
