// How sure the hits of a search are: what lies near each query, read with the calibration of the
// collection.
import type { CollectionReader, Hit } from '@likeness/engine/contract'
import { confidencesOf, type Judge, priorJudge } from '@likeness/shared/confidence/calibration'
import type { Surroundings } from '@likeness/shared/confidence/evidence'
import type { Weights } from '@likeness/shared/contract/embedding-parts'
import { iouOf } from '@likeness/shared/contract/box-overlap'
import { labelKey } from '@likeness/shared/contract/margin'
import { weightedParts } from '@likeness/shared/contract/search-weights'
import type { AnsweredObject, SearchQueries } from './search-queries.ts'

/** Returns the confidence of a hit of the query. */
export type Confidences = (query: number, hit: Pick<Hit, 'item'>) => number | null

/** Any number of items above one: the label is not among the nearest items. */
const several = 2

/** Other weights than those of the calibration give scores of another kind. */
export function judgeOf(
  { calibration, spec }: Pick<CollectionReader, 'calibration' | 'spec'>,
  weights: Weights | undefined
): Judge {
  const { version } = spec.embedding
  // Weights of an embedding without parts were refused before.
  const parts = weightedParts(spec, spec.embedding.parts && weights)
  const isOf =
    calibration?.embedding === version &&
    parts.every(({ weight }, i) => weight === calibration.parts[i])
  return isOf ? calibration : priorJudge(version)
}

/**
 * Number of places of a picture that are asked for the same thing. A box counts as far as no earlier
 * one covers it: the same look twice has no second chance. Vectors and examples are asked alone.
 */
export function placesOf(objects: readonly Pick<AnsweredObject, 'kind' | 'box'>[]): number {
  const boxes = objects.flatMap(({ kind, box }) =>
    kind === 'vector' || kind === 'examples' || box === null ? [] : [box]
  )
  const looks = boxes.reduce(
    (sum, box, i) => sum + 1 - Math.max(0, ...boxes.slice(0, i).map((other) => iouOf(other, box))),
    0
  )
  return Math.max(1, looks)
}

/** `found`: the hits of each query, with what lies near it. */
export async function confidencesOfHits(
  reader: CollectionReader,
  queries: SearchQueries,
  found: readonly { hits: readonly Hit[]; around: Surroundings }[],
  weights: Weights | undefined
): Promise<Confidences> {
  const judge = judgeOf(reader, weights)
  const boxes = placesOf(queries.objects)
  const counts = new Map<string, Promise<number>>()
  const countOf = async (label: string | null, { nearest }: Surroundings): Promise<number> => {
    if (label === null) return 1
    if (!nearest.includes(labelKey({ id: '', label }))) return several
    const known = counts.get(label) ?? reader.countLabel(label)
    counts.set(label, known)
    return await known
  }
  const lists = await Promise.all(
    found.map(async ({ hits, around }) => {
      const labels = new Map(hits.map((hit) => [labelKey(hit.item), hit]))
      const judged = await Promise.all(
        [...labels].map(async ([label, { item, score }]) => ({
          label,
          score,
          references: await countOf(item.label, around)
        }))
      )
      return confidencesOf(around, judged, { judge, boxes })
    })
  )
  return (query, { item }) => lists[query]!.get(labelKey(item)) ?? null
}
