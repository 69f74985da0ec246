// A search whose best hits are put in the order of their k-reciprocal distances: more hits are asked for than are wanted, and their vectors read.
import type { CollectionReader, Hit, SearchQuery } from '@likeness/engine/contract'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { kReciprocalDistances } from './rerank.ts'

/** Hits of each vector that are ranked anew: what follows keeps its order. */
const rankedAnew = 100

export type RankedHit = Hit & { rerankScore?: number; margin?: number }

/** Hits of the wished k with a rerank score, best first. The neighbours that decide are those without groups and threshold. */
export async function searchReranked(
  reader: CollectionReader,
  { k, scoreThres = -Infinity, groupBy: _by, groupSize: _size, ...query }: SearchQuery
): Promise<RankedHit[][]> {
  const { dim } = reader.spec.embedding
  const vectors = denseRows(query.vectors)
  const found = await reader.search({ ...query, k: Math.max(k, rankedAnew), scoreThres: -Infinity })
  const lists: RankedHit[][] = []
  for (const [i, hits] of found.entries()) {
    const near = hits.slice(0, rankedAnew)
    const distances = kReciprocalDistances([
      vectors.subarray(i * dim, (i + 1) * dim),
      ...(await Promise.all(near.map((hit) => vectorOf(reader, hit, dim))))
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

/** Of the row that was hit; unit length. */
async function vectorOf(
  reader: CollectionReader,
  { item, row }: Hit,
  dim: number
): Promise<Float32Array> {
  const rows = await reader.getVectors(item.id)
  if (rows === undefined)
    throw appError('internal', `the snapshot that found ${item.id} has no vectors of it`)
  return denseRows(rows).subarray(row * dim, (row + 1) * dim)
}
