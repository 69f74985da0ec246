// A search that sorts the best hits by the similarity of parts. An embed server compares the raw
// vectors.
import type { RawVectors } from '@likeness/engine'
import type { CollectionReader, Hit, SearchQuery, StoredItem } from '@likeness/engine/contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import type { EmbedClient } from '../embedder/embed-client.ts'
import type { SearchQueries } from './search-queries.ts'
import type { RankedHit } from './search-reranked.ts'

/** Number of hits of each vector that are ranked anew. */
const rankedAnew = 20
/** Weight of the parts against the score of the whole. Chosen on views of gallery pictures. */
const weightOfParts = 2

export interface CellRanking {
  rawVectors: RawVectors
  embedder: Pick<EmbedClient, 'rank'>
  signal: AbortSignal
}

/**
 * Returns float16 raw vectors of each query row; undefined for queries by vector, and for items
 * that came as vectors.
 */
export async function rawVectorsOfQueries(
  { spec: { collectionId } }: CollectionReader,
  { rawVectors, item }: SearchQueries,
  ranking: CellRanking
): Promise<Uint16Array | undefined> {
  if (rawVectors !== undefined && rawVectors.length > 0) return rawVectors
  return item && (await ranking.rawVectors.read(collectionId, [item]))[0]
}

/**
 * Returns hits of the requested k, best first. Hits without raw vectors come after hits with a
 * rerank score.
 */
export async function searchByCells(
  reader: CollectionReader,
  { k, groupBy: _by, groupSize: _size, ...query }: SearchQuery,
  rawVectors: Uint16Array,
  ranking: CellRanking
): Promise<RankedHit[][]> {
  const found = await reader.search({ ...query, k: Math.max(k, rankedAnew) })
  const alike = await compareParts(
    found.map((hits) => hits.slice(0, rankedAnew)),
    rawVectors,
    reader.spec,
    ranking
  )
  return found.map((hits, query) =>
    hits
      .map((hit): RankedHit => withRank(hit, alike(query, hit.item.id)))
      .sort((a, b) => (b.rerankScore ?? -Infinity) - (a.rerankScore ?? -Infinity) || 0)
  )
}

function withRank(hit: Hit, alike: number | undefined): RankedHit {
  return alike === undefined
    ? hit
    : {
        ...hit,
        rerankScore:
          Math.round((1e6 * (hit.score + weightOfParts * alike)) / (1 + weightOfParts)) / 1e6
      }
}

async function compareParts(
  lists: readonly Hit[][],
  rawVectors: Uint16Array,
  { collectionId, embedding }: CollectionSpec,
  { rawVectors: stored, embedder: embedders, signal }: CellRanking
): Promise<(query: number, id: string) => number | undefined> {
  const wanted = [
    ...new Map(lists.flat().map(({ item }): [string, StoredItem] => [item.id, item])).values()
  ]
  const read = await stored.read(collectionId, wanted)
  const rawDim = rawVectors.length / lists.length
  const known = wanted.flatMap((item, i) => {
    const own = read[i]
    return own !== undefined && item.raws!.dim === rawDim ? [{ item, own }] : []
  })
  if (known.length === 0) return () => undefined
  const body = concatArrays(Uint16Array, [rawVectors, ...known.map(({ own }) => own)])
  const { alike } = await embedders.rank(
    body,
    {
      embedding,
      rawDim,
      queryRows: lists.length,
      itemRows: known.map(({ item }) => item.rows.length)
    },
    signal
  )
  const places = new Map(known.map(({ item }, place): [string, number] => [item.id, place]))
  // A hit beyond the first of its own list may be among the first of another.
  const first = lists.map((hits) => new Set(hits.map(({ item }) => item.id)))
  return (query, id) =>
    first[query]!.has(id) && places.has(id) ? alike[query]![places.get(id)!] : undefined
}
