// Reads a gallery picture from the object store, within bounds of size and time.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/shared/store/object-store'

export interface ReadPictureOptions {
  maxBytes: number
  timeoutMs: number
}

/** Rejects with `image_missing`, `too_large`, or `store_unavailable` when the store fails or does not answer in time. */
export async function readPicture(store: ObjectStore, key: string, { maxBytes, timeoutMs }: ReadPictureOptions): Promise<Uint8Array> {
  const info = await inTime(store.head(key), key, timeoutMs)
  if (info === undefined) throw appError('image_missing', `there is no object ${key}`)
  if (info.sizeBytes > maxBytes) throw appError('too_large', `${key} has ${info.sizeBytes} bytes, at most ${maxBytes} are read`)
  const stored = await inTime(store.get(key), key, timeoutMs)
  if (stored === undefined) throw appError('image_missing', `there is no object ${key}`)
  return stored.body
}

async function inTime<T>(answer: Promise<T>, key: string, timeoutMs: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(appError('store_unavailable', `the object store did not answer for ${key} in ${timeoutMs} ms`)), timeoutMs)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    clearTimeout(timer)
  }
}
