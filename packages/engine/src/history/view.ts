// What a version consists of, read from its segments: the live arrivals, and the labels of those
// that were changed.
import { Turns } from '@likeness/shared/process/turns'
import { hashName } from '../item/item-hash.ts'
import { decodeArrivals, hashOf } from '../segment/item-table.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import { liveItemsOf, readPayloads } from '../segment/read-items.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { ArrivalSet } from './arrival-set.ts'
import type { Labels } from './labels.ts'

/** Which labels of a version are to be read. */
export interface ChangedLabels {
  /** Names of the hashes of items that were relabelled. */
  items: ReadonlySet<string>
  /** Arrivals whose labels may be other ones than before. */
  arrivals: ReadonlySet<number>
  /** Labels of before, which all other arrivals have. */
  before: Labels
}

export interface ReadView {
  live: ArrivalSet
  labels: Labels
}

/** A live item has no number: a program before 0.4 took it in. */
export class Unnumbered extends Error {}

/** Throws Unnumbered. */
export async function readView(
  files: SegmentFiles,
  segments: readonly ManifestSegment[],
  changed: ChangedLabels
): Promise<ReadView> {
  const view: ReadView = { live: new ArrivalSet(), labels: new Map() }
  for (const ref of segments) await addSegment(files, await openSegment(files, ref), changed, view)
  return view
}

async function addSegment(
  files: SegmentFiles,
  segment: OpenSegment,
  { items, arrivals: mayDiffer, before }: ChangedLabels,
  { live, labels }: ReadView
): Promise<void> {
  const { ref, meta } = segment
  const arrivals = decodeArrivals(await files.get(ref.files.meta))
  const turns = new Turns()
  const touched: number[] = []
  for (const item of liveItemsOf(segment)) {
    await turns.take()
    const arrival = arrivals[item]!
    if (arrival === 0) throw new Unnumbered(`${ref.id} has an item without a number`)
    live.add(arrival)
    if (mayDiffer.has(arrival) || (items.size > 0 && items.has(hashName(hashOf(meta, item)))))
      touched.push(item)
    else if (before.has(arrival)) labels.set(arrival, before.get(arrival)!)
  }
  if (touched.length === 0) return
  for await (const { item, payload } of readPayloads(files, segment, touched)) {
    const { label, metadata } = payload
    labels.set(arrivals[item]!, { label, metadata })
  }
}
