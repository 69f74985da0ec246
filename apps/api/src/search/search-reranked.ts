// A search that sorts the best hits by k-reciprocal distance. More hits than requested are found,
// and their vectors are read.
import type { CollectionReader, Hit, SearchQuery } from '@likeness/engine/contract'
import { weighBothSides, type WeightedPart } from '@likeness/shared/contract/embedding-parts'
import { weightedParts } from '@likeness/shared/contract/search-weights'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import { kReciprocalDistances } from './rerank.ts'

/** Number of hits of each vector that are ranked anew. Later hits keep their order. */
export const rankedAnew = 100

export type RankedHit = Hit & { rerankScore?: number; margin?: number }

/**
 * Returns hits of the requested k with a rerank score, best first. The deciding neighbours are
 * found without groups and threshold.
 */
export async function searchReranked(
  reader: CollectionReader,
  { k, scoreThres = -Infinity, groupBy: _by, groupSize: _size, ...query }: SearchQuery
): Promise<RankedHit[][]> {
  const { dim } = reader.spec.embedding
  const parts = weightedParts(reader.spec, query.weights)
  const vectors = weighBothSides(denseRows(query.vectors), parts)
  const found = await reader.search({ ...query, k: Math.max(k, rankedAnew), scoreThres: -Infinity })
  const lists: RankedHit[][] = []
  const turns = new Turns()
  for (const [i, hits] of found.entries()) {
    await turns.take()
    const near = hits.slice(0, rankedAnew)
    const distances = kReciprocalDistances([
      vectors.subarray(i * dim, (i + 1) * dim),
      ...(await Promise.all(near.map((hit) => vectorOf(reader, hit, parts))))
    ])
    const ranked = near
      .map(
        (hit, at): RankedHit => ({
          ...hit,
          rerankScore: Math.round(1e6 * (1 - distances[at]!)) / 1e6
        })
      )
      .sort((a, b) => b.rerankScore! - a.rerankScore!)
    lists.push([...ranked, ...hits.slice(rankedAnew)].filter(({ score }) => score >= scoreThres))
  }
  return lists
}

/** Returns the vector of the hit's row with its parts weighed; unit length. */
async function vectorOf(
  reader: CollectionReader,
  { item, row }: Hit,
  parts: readonly WeightedPart[]
): Promise<Float32Array> {
  const vector = await reader.getRow(item.id, row)
  if (vector === undefined)
    throw appError('internal', `the snapshot that found ${item.id} has no vectors of it`)
  return weighBothSides(denseRows(vector), parts)
}
