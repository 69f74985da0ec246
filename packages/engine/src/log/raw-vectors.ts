// Reads the raw vectors of an item from the vector batch: a part of that object with its own
// checksum.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { StoredItem } from '../contract.ts'
import { rawSum } from '../item/item-payload.ts'

/**
 * Returns float16 [rows, dim], in the order of the item's rows. Returns undefined when there are no
 * raw vectors, or the batch is gone. Rejects with data_corrupt.
 */
export async function readRawVectors(
  store: Pick<ObjectStore, 'getRange'>,
  { raws, rows }: Pick<StoredItem, 'raws' | 'rows'>
): Promise<Uint16Array | undefined> {
  if (raws === undefined) return undefined
  const body = await store.getRange(raws.key, raws.at, 2 * rows.length * raws.dim)
  if (body === undefined) return undefined
  if (rawSum(body) !== raws.sum)
    throw appError(
      'data_corrupt',
      `${raws.key}: the raw vectors from byte ${raws.at} do not match their checksum`
    )
  // A copy at offset 0: numbers of two bytes need alignment.
  return new Uint16Array(new Uint8Array(body).buffer)
}
