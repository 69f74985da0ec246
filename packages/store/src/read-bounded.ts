// Reads a picture of the store whole into memory, within a limit.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from './object-store.ts'

/** undefined where there is no such object. Rejects with `too_large` past `maxBytes`, `store_unavailable`. */
export async function readBounded(
  store: Pick<ObjectStore, 'getRange'>,
  key: string,
  maxBytes: number
): Promise<Uint8Array | undefined> {
  // One byte more than is allowed tells what is too large, without asking for its size first.
  const bytes = await store.getRange(key, 0, maxBytes + 1)
  if (bytes !== undefined && bytes.byteLength > maxBytes)
    throw appError('too_large', `the picture has more than ${maxBytes} bytes`)
  return bytes
}
