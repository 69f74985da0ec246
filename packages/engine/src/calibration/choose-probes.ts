// Chooses the items of a gallery that are asked to learn its calibration: spread over the labels,
// those with several items first. Items lie in the order of a hash, so the first ones are a sample.
import { Turns } from '@likeness/shared/process/turns'
import { attributeReader } from '../columns/attribute-reader.ts'
import type { SegmentView } from '../search/segment-view.ts'

/** 20 are enough to calibrate; more make the reported curve smoother. */
export const mostProbes = 160
/** Items of a label that are asked at most. */
const mostOfLabel = 16
/** Items that are looked at for a choice. */
const mostScanned = 100_000

export interface Place {
  view: SegmentView
  item: number
}

/**
 * Returns at most `most` items, one of each label before a second one of any, and the number of
 * labels that were seen.
 */
export async function chooseProbes(
  views: readonly SegmentView[],
  most = mostProbes
): Promise<{ places: Place[]; labels: number }> {
  const byLabel = await placesByLabel(views)
  const labels = [...byLabel.values()].sort((a, b) => Number(b.length > 1) - Number(a.length > 1))
  const chosen: Place[] = []
  for (let round = 0; round < mostOfLabel && chosen.length < most; round++)
    for (const places of labels) {
      const place = places[round]
      if (place !== undefined && chosen.length < most) chosen.push(place)
    }
  return { places: chosen, labels: labels.length }
}

/** Items without a label are labels of their own. */
async function placesByLabel(views: readonly SegmentView[]): Promise<Map<string, Place[]>> {
  const byLabel = new Map<string, Place[]>()
  const turns = new Turns()
  let scanned = 0
  for (const view of views) {
    const { meta } = view.segment
    const { column } = await view.segment.labels()
    const read = attributeReader(view.updates, new Map([['label', column]]))
    for (let item = 0; item < meta.items && scanned < mostScanned; item++) {
      if (view.deleted.has(meta.firstRow[item]!)) continue
      await turns.take()
      const label = read(item, 'label')
      const key = typeof label === 'string' ? `l${label}` : `i${scanned}`
      scanned++
      const places = byLabel.get(key) ?? []
      if (places.length < mostOfLabel) byLabel.set(key, [...places, { view, item }])
    }
  }
  return byLabel
}
