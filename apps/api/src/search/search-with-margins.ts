// A search whose threshold is compared with how far a hit stands out from what else is near the query.
import type { CollectionReader, SearchQuery } from '@likeness/engine/contract'
import { cohortSize, marginOf, nearLabels, type NearLabels } from '@likeness/shared/contract/margin'
import type { RankedHit } from './search-reranked.ts'

/** Hits that are looked at first: in most galleries as many other labels as are needed are among them. */
const looked = 24

export interface MarginOptions {
  weight: number
  /** The item that is asked about: it is no neighbour of itself. */
  except: string | undefined
  search: (options: SearchQuery) => Promise<RankedHit[][]>
}

/** Hits of `search` whose margin passes the threshold, each with it; more than k where more were looked at. */
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

/** Of all that the collection has, whatever the filter lets through: what was found where that is enough, else searched for. */
async function nearEach(
  reader: CollectionReader,
  options: SearchQuery,
  found: readonly RankedHit[][],
  except: string | undefined
): Promise<NearLabels[]> {
  const labelsOf = (hits: readonly RankedHit[]): NearLabels =>
    nearLabels(hits.map(flat).filter(({ id }) => id !== except))
  const { groupBy, groupSize: _size, hammingRadius, filter, ...open } = options
  if (groupBy === undefined && hammingRadius === undefined && filter === undefined) {
    const near = found.map(labelsOf)
    if (near.every((labels, i) => labels.length > cohortSize || found[i]!.length < options.k))
      return near
  }
  // One more than a hit and its cohort, for the item that is asked about.
  return (
    await reader.search({
      ...open,
      k: cohortSize + 2,
      groupBy: 'label',
      groupSize: 1,
      scoreThres: -Infinity
    })
  ).map(labelsOf)
}
