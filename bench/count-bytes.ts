// An object store that counts the bytes read and written.
import { Transform } from 'node:stream'
import type { ObjectStore } from '@likeness/store/object-store'

export function countBytes(store: ObjectStore): {
  store: ObjectStore
  bytes: { read: number; written: number }
} {
  const bytes = { read: 0, written: 0 }
  const counting = (of: keyof typeof bytes): Transform =>
    new Transform({
      transform(chunk: Uint8Array, _encoding, done) {
        bytes[of] += chunk.byteLength
        done(null, chunk)
      }
    })
  return {
    bytes,
    store: {
      ...store,
      list: (prefix, options) => store.list(prefix, options),
      async get(key) {
        const stored = await store.get(key)
        bytes.read += stored?.body.byteLength ?? 0
        return stored
      },
      async getRange(key, offset, length) {
        const body = await store.getRange(key, offset, length)
        bytes.read += body?.byteLength ?? 0
        return body
      },
      getStream: async (key) => (await store.getStream(key))?.pipe(counting('read')),
      async put(key, body) {
        bytes.written += body.byteLength
        return await store.put(key, body)
      },
      async putIf(key, body, condition) {
        bytes.written += body.byteLength
        return await store.putIf(key, body, condition)
      },
      putStream: (key, body, options) =>
        store.putStream(key, body.pipe(counting('written')), options)
    }
  }
}
