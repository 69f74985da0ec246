// The order in which the items of a version are read from disk: all of them in chunks, or some.
import type { SegmentView } from './segment-view.ts'

/** Most rows of a chunk in a scroll: 2 MiB of vectors at 512-d. */
const rowsPerChunk = 1024
const payloadBytesPerChunk = 2 ** 22

/** Live items of one segment, ascending and close together. */
interface ItemChunk {
  view: SegmentView
  items: number[]
}

export function* itemsInChunks(views: readonly SegmentView[]): Iterable<ItemChunk> {
  for (const view of views) for (const items of chunksOf(view)) yield { view, items }
}

/**
 * Yields at most so many items, each alone, because they lie far apart. Tables are in the order of
 * hashes, so every n-th item is a random one. Deleted ones are passed over.
 */
export function* itemsSpread(views: readonly SegmentView[], most: number): Iterable<ItemChunk> {
  const all = views.reduce((sum, { segment }) => sum + segment.meta.items, 0)
  const step = all / most
  let place = step / 2
  let end = 0
  for (const view of views) {
    const { meta } = view.segment
    const first = end
    end += meta.items
    for (; place < end; place += step) {
      const item = Math.floor(place) - first
      if (!view.deleted.has(meta.firstRow[item]!)) yield { view, items: [item] }
    }
  }
}

/** Yields the live items of a segment in chunks that are read at once. */
function* chunksOf({ segment: { meta }, deleted }: SegmentView): Iterable<number[]> {
  let items: number[] = []
  let rows = 0
  for (let item = 0; item < meta.items; item++) {
    const first = meta.firstRow[item]!
    if (deleted.has(first)) continue
    items.push(item)
    rows += meta.firstRow[item + 1]! - first
    if (
      rows < rowsPerChunk &&
      meta.payloadOffset[item + 1]! - meta.payloadOffset[items[0]!]! < payloadBytesPerChunk
    )
      continue
    yield items
    items = []
    rows = 0
  }
  if (items.length > 0) yield items
}
