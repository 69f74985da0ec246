// Reads the items of hits. An item is read once, however many queries found it, and items that lie
// close together are read at once.
import { beyondLimit, maxHitBytes } from '@likeness/shared/contract/limits'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { Turns } from '@likeness/shared/process/turns'
import type { Hit, StoredItem } from '../contract.ts'
import type { Candidate } from './segment-search.ts'
import { readItems, type SegmentView } from './segment-view.ts'

/** Bytes between two items that are read and thrown away, instead of another read. */
const mostGapBytes = 16 * 1024
const mostRunBytes = 512 * 1024
const readsAtOnce = 8

type ItemsOfView = Map<SegmentView, Map<number, StoredItem | undefined>>

/**
 * Returns one list of hits per list of candidates, in the same order. Throws too_large when the
 * payloads of all items together are beyond the bound of one search.
 */
export async function readHits(lists: readonly (readonly Candidate[])[]): Promise<Hit[][]> {
  const turns = new Turns()
  const wanted: ItemsOfView = new Map()
  for (const list of lists) {
    for (const { view, item } of list) {
      const items = wanted.get(view) ?? new Map<number, undefined>()
      wanted.set(view, items.set(item, undefined))
    }
    await turns.take()
  }
  const bytes = payloadBytes(wanted)
  if (bytes > maxHitBytes) throw beyondLimit('maxHitBytes', bytes, 'Ask for a smaller k')
  const read = mapInOrder(runsOf(wanted), readsAtOnce, async ({ view, items }) => {
    await turns.take()
    return { view, items, stored: await readItems(view, items) }
  })
  for await (const { view, items, stored } of read) {
    const known = wanted.get(view)!
    for (const [at, item] of items.entries()) known.set(item, stored[at])
    await turns.take()
  }
  const hits: Hit[][] = []
  for (const list of lists) {
    hits.push(
      list.map(({ view, item, row, score, distance }) => ({
        item: wanted.get(view)!.get(item)!,
        row,
        score,
        distance
      }))
    )
    await turns.take()
  }
  return hits
}

function payloadBytes(wanted: ItemsOfView): number {
  let bytes = 0
  for (const [view, items] of wanted) {
    const { payloadOffset } = view.segment.meta
    for (const item of items.keys()) bytes += payloadOffset[item + 1]! - payloadOffset[item]!
  }
  return bytes
}

/** Yields runs of items, ascending and close together. */
function* runsOf(wanted: ItemsOfView): Iterable<{ view: SegmentView; items: number[] }> {
  for (const [view, found] of wanted) {
    const { payloadOffset } = view.segment.meta
    let run: number[] = []
    for (const item of [...found.keys()].sort((a, b) => a - b)) {
      const last = run.at(-1)
      const isNear =
        last !== undefined &&
        payloadOffset[item]! - payloadOffset[last + 1]! <= mostGapBytes &&
        payloadOffset[item + 1]! - payloadOffset[run[0]!]! <= mostRunBytes
      if (!isNear && run.length > 0) {
        yield { view, items: run }
        run = []
      }
      run.push(item)
    }
    if (run.length > 0) yield { view, items: run }
  }
}
