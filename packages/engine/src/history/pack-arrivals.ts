// The arrivals of a batch that was taken in.
import { type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { rowsBetween } from '@likeness/shared/contract/vector-rows'
import type { LooseBatch } from '../state/history.ts'
import type { Arrival, Origin } from './pack.ts'

/** Yields the items that have vectors, with their numbers. */
export function* arrivalsOf(
  { first, revision }: Pick<LooseBatch, 'first' | 'revision'>,
  { header, vectors, raw }: VectorBatch
): Generator<{ origin: Origin; arrival: Arrival }> {
  const { collectionId, embeddingVersion, dim, rawDim } = header
  const origin = { collectionId, embeddingVersion, dim, rawDim }
  let row = 0
  for (const [at, item] of header.items.entries()) {
    const from = row
    row += item.rows.length
    if (item.failure !== undefined) continue
    const own = raw.subarray(from * rawDim, row * rawDim)
    const rows = rowsBetween(vectors, dim, from, row)
    yield { origin, arrival: { arrival: first + at, revision, item, vectors: rows, raw: own } }
  }
}
