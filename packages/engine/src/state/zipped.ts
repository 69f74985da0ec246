// Texts that are much alike from line to line, packed: a tenth is left of them.
import { gunzipSync, gzipSync } from 'node:zlib'
import { appError } from '@likeness/shared/errors'

/** A bound for what a damaged text may unpack to. */
const mostBytes = 256 * 1024 * 1024

export const zipped = (text: Uint8Array): Uint8Array => gzipSync(text)

/** Returns a text that is not packed as it is. Throws data_corrupt. */
export function unzipped(key: string, body: Uint8Array): Uint8Array {
  if (body[0] !== 0x1f || body[1] !== 0x8b) return body
  try {
    return gunzipSync(body, { maxOutputLength: mostBytes })
  } catch (error) {
    throw appError('data_corrupt', `${key} is damaged: it cannot be unpacked`, { cause: error })
  }
}
