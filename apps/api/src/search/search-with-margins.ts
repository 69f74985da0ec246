// A search that compares the threshold with the margin: how far a hit stands out from the other
// labels near the query.
import type { CollectionReader, SearchQuery } from '@likeness/engine/contract'
import { cohortSize, marginOf, nearLabels, type NearLabels } from '@likeness/shared/contract/margin'
import type { RankedHit } from './search-reranked.ts'

/** Number of hits that are read first. In most galleries these hits contain enough other labels. */
const looked = 24

export interface MarginOptions {
  weight: number
  /** Query items, which are no neighbours of themselves. */
  except: ReadonlySet<string>
  search: (options: SearchQuery) => Promise<RankedHit[][]>
}

/**
 * Returns the hits of `search` whose margin passes the threshold, each with its margin. The list
 * may have more than k hits.
 */
export async function searchWithMargins(
  reader: CollectionReader,
  options: SearchQuery,
  { weight, except, search }: MarginOptions
): Promise<RankedHit[][]> {
  const { scoreThres = -Infinity } = options
  const k = Math.max(options.k, looked)
  const found = await search({ ...options, k, scoreThres: -Infinity })
  const near = await nearEach(reader, { ...options, k }, found, except)
  return found.map((hits, i) =>
    hits
      .map((hit): RankedHit => ({ ...hit, margin: marginOf(flat(hit), near[i]!, weight) }))
      .filter(({ margin }) => margin! >= scoreThres)
  )
}

const flat = ({ item: { id, label }, score }: RankedHit) => ({ id, label, score })

/**
 * Finds the labels near each query in the whole collection, without the filter. Uses the found hits
 * where they are enough, else searches again.
 */
async function nearEach(
  reader: CollectionReader,
  options: SearchQuery,
  found: readonly RankedHit[][],
  except: ReadonlySet<string>
): Promise<NearLabels[]> {
  const labelsOf = (hits: readonly RankedHit[]): NearLabels =>
    nearLabels(hits.map(flat).filter(({ id }) => !except.has(id)))
  const { groupBy, groupSize: _size, hammingRadius, filter, ...open } = options
  if (groupBy === undefined && hammingRadius === undefined && filter === undefined) {
    const near = found.map(labelsOf)
    if (near.every((labels, i) => labels.length > cohortSize || found[i]!.length < options.k))
      return near
  }
  // A hit, its cohort, and the query items, which take places of their groups.
  return (
    await reader.search({
      ...open,
      k: (cohortSize + 2) * (1 + except.size),
      groupBy: 'label',
      groupSize: 1 + except.size,
      scoreThres: -Infinity
    })
  ).map(labelsOf)
}
