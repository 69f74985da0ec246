// The arrivals of a batch that was taken in.
import { isShared, type VectorBatch } from '@likeness/shared/contract/vector-batch'
import { rowsBetween } from '@likeness/shared/contract/vector-rows'
import type { LooseBatch } from '../state/history.ts'
import type { Arrival, Origin, PackBlock } from '../base/pack.ts'

/** The revision of each item. */
function revisionsOf(
  { revision }: Pick<LooseBatch, 'revision'>,
  { header }: VectorBatch
): number[] {
  if (isShared(header))
    return header.parts.flatMap((part) => Array<number>(part.items).fill(part.revision))
  return Array<number>(header.items.length).fill(revision ?? 0)
}

/** An arrival, with what its block has in common. */
export interface FromOrigin {
  origin: Origin
  arrival: Arrival
}

/** Yields the items of a batch that have vectors, with their numbers. */
export const arrivalsOf = (
  loose: Pick<LooseBatch, 'first' | 'revision'>,
  batch: VectorBatch
): Generator<FromOrigin> => {
  const revisions = revisionsOf(loose, batch)
  const numbers = (at: number) => ({ arrival: loose.first + at, revision: revisions[at]! })
  return withNumbers(batch, numbers)
}

/** Yields the arrivals of a block that was read. */
export const arrivalsOfBlock = (
  { arrivals, revisions }: PackBlock,
  batch: VectorBatch
): Generator<FromOrigin> =>
  withNumbers(batch, (at) => ({ arrival: arrivals[at]!, revision: revisions[at]! }))

/** `numbers`: those of the item at a place of the batch. */
function* withNumbers(
  { header, vectors, raw }: VectorBatch,
  numbers: (at: number) => Pick<Arrival, 'arrival' | 'revision'>
): Generator<FromOrigin> {
  const { collectionId, embeddingVersion, dim, rawDim } = header
  const origin = { collectionId, embeddingVersion, dim, rawDim }
  let row = 0
  for (const [at, item] of header.items.entries()) {
    const from = row
    row += item.rows.length
    if (item.failure !== undefined) continue
    yield {
      origin,
      arrival: {
        ...numbers(at),
        item,
        vectors: rowsBetween(vectors, dim, from, row),
        raw: raw.subarray(from * rawDim, row * rawDim)
      }
    }
  }
}
