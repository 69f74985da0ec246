// The reading half of the directory store: whole objects, ranges, streams and object info.
import { Readable } from 'node:stream'
import { appError } from '@likeness/shared/errors'
import { readBytes } from './directory-file.ts'
import { openCurrent, type VersionsDeps } from './directory-versions.ts'
import { checkKey } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { checkRange, guarded, withStoreErrors } from './store-failure.ts'

export function directoryReads(
  deps: VersionsDeps
): Pick<ObjectStore, 'get' | 'getRange' | 'getStream' | 'head'> {
  async function opened(key: string) {
    checkKey(key)
    const found = await guarded(`read ${key}`, () => openCurrent(deps, key))
    return found?.file
  }

  async function read(key: string, offset: number, length: number) {
    const file = await opened(key)
    if (!file) return undefined
    try {
      const wanted = Math.max(0, Math.min(length, file.sizeBytes - offset))
      const body = await guarded(`read ${key}`, () => readBytes(file.handle, offset, wanted))
      if (body.byteLength !== wanted)
        throw appError('data_corrupt', `${key} is shorter than it says.`)
      return { body, etag: file.etag }
    } finally {
      await file.handle.close()
    }
  }

  return {
    get: (key) => read(key, 0, Infinity),

    async getRange(key, offset, length) {
      checkRange(offset, length)
      return (await read(key, offset, length))?.body
    },

    async getStream(key) {
      const file = await opened(key)
      if (!file) return undefined
      const { handle, sizeBytes } = file
      if (sizeBytes > 0)
        return withStoreErrors(
          handle.createReadStream({ start: 0, end: sizeBytes - 1 }),
          `read ${key}`
        )
      await handle.close()
      return Readable.from([], { objectMode: false })
    },

    async head(key) {
      const file = await opened(key)
      if (!file) return undefined
      await file.handle.close()
      return {
        key,
        sizeBytes: file.sizeBytes,
        etag: file.etag,
        lastModifiedMs: file.lastModifiedMs
      }
    }
  }
}
