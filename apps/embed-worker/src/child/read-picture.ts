// Reads a gallery picture from the object store, within limits of size and time.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { readBounded } from '@likeness/store/read-bounded'

export interface ReadPictureOptions {
  maxBytes: number
  timeoutMs: number
}

/**
 * Rejects with `image_missing`, `too_large`, or `store_unavailable` when the store fails or is too
 * slow.
 */
export async function readPicture(
  store: ObjectStore,
  key: string,
  { maxBytes, timeoutMs }: ReadPictureOptions
): Promise<Uint8Array> {
  const bytes = await inTime(readBounded(store, key, maxBytes), key, timeoutMs)
  if (bytes === undefined) throw appError('image_missing', `there is no object ${key}`)
  return bytes
}

async function inTime<T>(answer: Promise<T>, key: string, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () =>
        reject(
          appError(
            'store_unavailable',
            `the object store did not answer for ${key} in ${timeoutMs} ms`
          )
        ),
      timeoutMs
    )
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
