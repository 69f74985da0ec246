// Asks a collection for one of its own items: as a known thing, with the item itself left out, and as
// a stranger, with all items of its label left out. Both come from one search.
import {
  type Evidence,
  evidenceFor,
  nearestItems,
  otherLabels,
  type Surroundings
} from '@likeness/shared/confidence/evidence'
import type { Probe } from '@likeness/shared/confidence/learn-calibration'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { bestOf } from '../search/best-of.ts'
import { comparedQueries } from '../search/compared-queries.ts'
import type { SegmentQuery } from '../search/segment-search.ts'
import type { SegmentView } from '../search/segment-view.ts'
import { itemsLooked, labelsOf, nearestLabels } from '../search/surroundings.ts'
import type { Place } from './choose-probes.ts'

/** Hits of a usual search: its effort is what later answers get. */
const usualHits = 5
/**
 * Part of the other items of a label that is left out too, the nearest ones: pictures that were
 * taken in one burst are nearer to each other than to a later picture.
 */
const burstPart = 10
const mostOfBurst = 32

export interface Asked {
  views: readonly SegmentView[]
  spec: CollectionSpec
  /** Number of items of the views. */
  items: number
  /** Number of items with the label of that key. */
  countOf: (key: string) => Promise<number>
}
interface Entry {
  key: string
  score: number
}

export async function askProbe(asked: Asked, place: Place): Promise<Probe> {
  const { views, spec, countOf } = asked
  const query = await queryOf(spec, place)
  const isLeftOut = ({ view, item }: Place): boolean => view === place.view && item === place.item
  const found = await bestOf(views, query)
  const others = found.filter((one) => !isLeftOut(one))
  const keys = await labelsOf([place, ...others])
  const label = keys[0]!
  const entries = others.map(({ score }, i): Entry => ({ key: keys[i + 1]!, score }))
  const references = await countOf(label)
  const grouped =
    countLabels(entries) > 1 + otherLabels || found.length >= asked.items
      ? []
      : await nearestLabels(views, query, { isLeftOut, leftOut: 1 })
  const far = grouped
    .filter(([key]) => key !== label)
    .map(([key, score]): Entry => ({ key, score }))
  const burst = Math.min(mostOfBurst, Math.floor(references / burstPart))
  const known = references > 1 + burst ? withoutFirst(entries, label, burst) : undefined
  const count = async (key: string): Promise<number> =>
    key === label ? references - 1 - burst : await countOf(key)
  return {
    label,
    known: known && (await answerOf(known, far, { label, count })),
    stranger: (
      await answerOf(
        entries.filter(({ key }) => key !== label),
        far,
        { label, count }
      )
    )?.evidence
  }
}

async function queryOf(spec: CollectionSpec, { view, item }: Place): Promise<SegmentQuery> {
  const { segment } = view
  const vectors = await segment.readVectors(Int32Array.of(segment.meta.firstRow[item]!))
  const [compared] = comparedQueries(spec, vectors, undefined)
  const budget = spec.settings.search_budget
  return { ...compared!, k: usualHits + 1, looked: itemsLooked, spec, budget }
}

const countLabels = (entries: readonly Entry[]): number =>
  new Set(entries.map(({ key }) => key)).size

function withoutFirst(entries: readonly Entry[], label: string, count: number): Entry[] {
  let left = count
  return entries.filter(({ key }) => key !== label || left-- <= 0)
}

/** `far`: best scores of labels that may be behind the list. undefined: nothing is found. */
async function answerOf(
  entries: readonly Entry[],
  far: readonly Entry[],
  { label, count }: { label: string; count: (key: string) => Promise<number> }
): Promise<{ evidence: Evidence; isRight: boolean } | undefined> {
  const best = new Map<string, number>()
  for (const { key, score } of [...entries, ...far]) if (!best.has(key)) best.set(key, score)
  const labels = [...best].sort(([, a], [, b]) => b - a).slice(0, 1 + otherLabels)
  const [first] = labels
  if (first === undefined) return undefined
  const around: Surroundings = {
    nearest: entries.slice(0, nearestItems).map(({ key }) => key),
    labels
  }
  const [answer, score] = first
  const evidence = evidenceFor(around, answer, { references: await count(answer), score })
  return evidence && { evidence, isRight: answer === label }
}
