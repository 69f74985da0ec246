// What lies near a query in a whole version: the labels of the nearest items, and the best score of
// each of the nearest labels. Most lists of candidates already hold it; else the search is repeated
// with one item a label.
import {
  fewestLabels,
  nearestItems,
  otherLabels,
  type Surroundings
} from '@likeness/shared/confidence/evidence'
import { labelKey } from '@likeness/shared/contract/margin'
import { attributeReader } from '../columns/attribute-reader.ts'
import { bestGrouped } from './best-of.ts'
import { boundLabels } from './label-counts.ts'
import type { Candidate, SegmentQuery } from './segment-search.ts'
import { readItems, type SegmentView } from './segment-view.ts'

/** Candidates that are looked at: with 40 items a label they hold six labels in most galleries. */
export const itemsLooked = 64
const labelsWanted = 1 + otherLabels

/** Reads keys of labels. An item without a label is a label of its own, and its id is read. */
export async function labelsOf(
  candidates: readonly Pick<Candidate, 'view' | 'item'>[]
): Promise<string[]> {
  const readers = new Map<SegmentView, ReturnType<typeof attributeReader>>()
  const keys: string[] = []
  for (const { view, item } of candidates) {
    let read = readers.get(view)
    if (read === undefined) {
      const { column } = await view.segment.labels()
      readers.set(view, (read = attributeReader(view.updates, new Map([['label', column]]))))
    }
    const label = read(item, 'label')
    keys.push(
      typeof label === 'string'
        ? labelKey({ id: '', label })
        : labelKey({ id: (await readItems(view, [item]))[0]!.id, label: null })
    )
  }
  return keys
}

/** Whether a version may have as many labels as a confidence needs. */
async function hasLabels(views: readonly SegmentView[]): Promise<boolean> {
  let bound = 0
  for (const view of views) {
    bound += await boundLabels(view, fewestLabels - bound)
    if (bound >= fewestLabels) return true
  }
  return false
}

export interface FoundItems {
  /** Candidates of the whole version, best first, as many as were found. */
  found: readonly Candidate[]
  /** Number of items of the version. */
  items: number
  /** Items that are no part of the surroundings, at most `leftOut` of a label. */
  isLeftOut: (candidate: Candidate) => boolean
  leftOut: number
}

/** Returns the surroundings of a query. */
export async function surroundingsOf(
  views: readonly SegmentView[],
  query: SegmentQuery,
  { found, items, isLeftOut, leftOut }: FoundItems
): Promise<Surroundings> {
  const kept = found.filter((candidate) => !isLeftOut(candidate))
  const best = new Map<string, number>()
  const nearest: string[] = []
  for (let at = 0; at < kept.length && best.size < labelsWanted; at += labelsWanted) {
    const some = kept.slice(at, at + labelsWanted)
    for (const [i, key] of (await labelsOf(some)).entries()) {
      if (nearest.length < nearestItems) nearest.push(key)
      if (!best.has(key)) best.set(key, some[i]!.score)
    }
  }
  const isComplete = best.size >= labelsWanted || found.length >= items
  if (isComplete || !(await hasLabels(views)))
    return { nearest, labels: [...best].slice(0, labelsWanted) }
  const labels = await nearestLabels(views, query, { isLeftOut, leftOut })
  return { nearest, labels: labels.slice(0, labelsWanted) }
}

/**
 * Finds the best scores of the nearest labels, one more than an answer needs. Also beside an exact
 * search the usual effort is enough: a confidence is an estimate.
 */
export async function nearestLabels(
  views: readonly SegmentView[],
  query: SegmentQuery,
  { isLeftOut, leftOut }: Pick<FoundItems, 'isLeftOut' | 'leftOut'>
): Promise<[label: string, score: number][]> {
  const size = 1 + leftOut
  const { looked: _looked, radius: _radius, exact: _exact, ...open } = query
  const wanted = { ...open, k: (1 + labelsWanted) * size }
  const grouped = await bestGrouped(views, wanted, { by: 'label', size })
  const kept = grouped.filter((candidate) => !isLeftOut(candidate))
  const best = new Map<string, number>()
  for (const [i, key] of (await labelsOf(kept)).entries())
    if (!best.has(key)) best.set(key, kept[i]!.score)
  return [...best].slice(0, 1 + labelsWanted)
}
