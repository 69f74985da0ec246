// The arrivals of a batch that was taken in.
import { isShared, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { rowsBetween } from '@likeness/shared/contract/vector-rows'
import type { LooseBatch } from '../state/history.ts'
import type { Arrival, Origin } from '../base/pack.ts'

/** The revision of each item. */
function revisionsOf(
  { revision }: Pick<LooseBatch, 'revision'>,
  { header }: VectorBatch
): number[] {
  if (isShared(header))
    return header.parts.flatMap((part) => Array<number>(part.items).fill(part.revision))
  return Array<number>(header.items.length).fill(revision ?? 0)
}

/** Yields the items that have vectors, with their numbers. */
export function* arrivalsOf(
  loose: Pick<LooseBatch, 'first' | 'revision'>,
  batch: VectorBatch
): Generator<{ origin: Origin; arrival: Arrival }> {
  const { header, vectors, raw } = batch
  const { collectionId, embeddingVersion, dim, rawDim } = header
  const origin = { collectionId, embeddingVersion, dim, rawDim }
  const revisions = revisionsOf(loose, batch)
  let row = 0
  for (const [at, item] of header.items.entries()) {
    const from = row
    row += item.rows.length
    if (item.failure !== undefined) continue
    yield {
      origin,
      arrival: {
        arrival: loose.first + at,
        revision: revisions[at]!,
        item,
        vectors: rowsBetween(vectors, dim, from, row),
        raw: raw.subarray(from * rawDim, row * rawDim)
      }
    }
  }
}
