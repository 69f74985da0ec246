// Shared batches: the vectors of many small ingestions in one object. The writer takes a shared batch
// in whole, after the log slots of all its ingestions.
import { createUlid, ulidPattern, ulidTimeMs } from '../data/ulid.ts'
import type { CollectionKeys } from './keys.ts'
import { slotOf } from './operation.ts'
import {
  type BatchHeader,
  countRows,
  isShared,
  partsOf,
  type SharedBatchHeader,
  type VectorBatch
} from './vector-batch.ts'
import { rowsBetween } from './vector-rows.ts'

/**
 * Returns the id of a new shared batch. It is never older than an ingestion of the batch, whatever the
 * clocks say: a listing of what open ingestions may have begins at the oldest of them.
 */
export function sharedBatchId(
  nowMs: number,
  ingestions: readonly string[],
  random?: Uint8Array
): string {
  const timesMs = ingestions.filter((id) => ulidPattern.test(id)).map(ulidTimeMs)
  return createUlid(Math.max(nowMs, ...timesMs), random)
}

/** Returns a key below those of all shared batches that may hold items of these ingestions. */
export function beforeSharedBatches(
  { sharedBatch, sharedBatchesPrefix }: CollectionKeys,
  ingestions: readonly string[]
): string {
  if (ingestions.some((id) => !ulidPattern.test(id))) return sharedBatchesPrefix
  const oldest = ingestions.reduce((least, id) => (id < least ? id : least))
  return sharedBatch(oldest.slice(0, 10))
}

/** Newest log slot of the ingestions of a shared batch. */
export const newestSlot = ({ parts }: SharedBatchHeader): number =>
  parts.reduce((newest, { revision }) => Math.max(newest, slotOf(revision)), 0)

/**
 * Returns a batch for each ingestion of a batch, in their order. They are views of the rows, and
 * `rawAt` is the place in the shared object.
 */
export function splitBatch(batch: VectorBatch): VectorBatch<BatchHeader>[] {
  const { header, vectors, raw, rawAt } = batch
  if (!isShared(header)) return [{ ...batch, header }]
  const { parts: _parts, nonZeros: _nonZeros, ...common } = header
  const { dim, rawDim } = header
  let row = 0
  return partsOf(header).map(({ ingestion, items }) => {
    const first = row
    row += countRows(items)
    return {
      header: { ...common, ingestion, items },
      vectors: rowsBetween(vectors, dim, first, row),
      raw: raw.subarray(first * rawDim, row * rawDim),
      ...(rawAt !== undefined && { rawAt: rawAt + 2 * first * rawDim })
    }
  })
}
