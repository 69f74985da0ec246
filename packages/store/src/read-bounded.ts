// Reads a whole picture of the store into memory, within a limit.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from './object-store.ts'

/**
 * Returns undefined when there is no such object. Rejects with `too_large` past `maxBytes`, or with
 * `store_unavailable`.
 */
export async function readBounded(
  store: Pick<ObjectStore, 'getRange'>,
  key: string,
  maxBytes: number
): Promise<Uint8Array | undefined> {
  // Asks for one byte more than the limit. So a picture that is too large is found without a
  // request for its size.
  const bytes = await store.getRange(key, 0, maxBytes + 1)
  if (bytes !== undefined && bytes.byteLength > maxBytes)
    throw appError('too_large', `the picture has more than ${maxBytes} bytes`)
  return bytes
}
