// Searches every query through the API in turn, and finds the rank of the right label.
import type { HitAnswer } from '@likeness/shared/contract/http/search'
import type { ApiClient } from '../api/api-client.ts'
import { median } from '../median.ts'

/** A picture to search for; `label` is undefined when the right answer is unknown. */
export interface DemoQuery {
  name: string
  image: Uint8Array
  label: string | undefined
}
export interface QueryResult extends DemoQuery {
  /** Best first, at most 5. */
  hits: HitAnswer[]
  /** Time for the caller: sending, detection, embedding, search. */
  ms: number
  /** Place of the first hit with the right label, from 1; undefined when no hit has the label. */
  rank: number | undefined
}
export interface Summary {
  queries: number
  /** Fraction of the queries with a known label; null when no label is known. */
  recallAt1: number | null
  recallAt5: number | null
  /** null without queries. */
  searchP50Ms: number | null
}

const hitsAsked = 5

export async function runQueries({
  api,
  collection,
  queries,
  minSeq,
  onDone
}: {
  api: ApiClient
  collection: string
  queries: readonly DemoQuery[]
  minSeq?: number
  onDone: (count: number) => void
}): Promise<QueryResult[]> {
  const results: QueryResult[] = []
  for (const query of queries) {
    const startedMs = performance.now()
    const { hits } = await api.search(collection, query.image, { k: hitsAsked, min_seq: minSeq })
    const ms = performance.now() - startedMs
    const place =
      query.label === undefined ? -1 : hits.findIndex((hit) => hit.label === query.label)
    results.push({ ...query, hits, ms, rank: place < 0 ? undefined : place + 1 })
    onDone(results.length)
  }
  return results
}

export function summarise(results: readonly QueryResult[]): Summary {
  const judged = results.filter((result) => result.label !== undefined)
  const recallAt = (k: number): number | null =>
    judged.length === 0
      ? null
      : judged.filter(({ rank }) => rank !== undefined && rank <= k).length / judged.length
  return {
    queries: results.length,
    recallAt1: recallAt(1),
    recallAt5: recallAt(5),
    searchP50Ms: median(results.map(({ ms }) => ms))
  }
}
