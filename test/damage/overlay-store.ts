// A store over another store. Reads go through to the other store; writes and deletions stay in
// this store. So a writer may change damaged files in every test without an effect on the original.
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectInfo, ObjectStore } from '@likeness/store/object-store'

export interface OverlayStore extends ObjectStore {
  readonly deleted: ReadonlySet<string>
  readonly written: ReadonlySet<string>
}

export function createOverlayStore(base: ObjectStore): OverlayStore {
  const top = createMemoryStore()
  const deleted = new Set<string>()
  const written = new Set<string>()
  const at = (key: string): ObjectStore => (written.has(key) || deleted.has(key) ? top : base)
  function wrote(key: string): void {
    written.add(key)
    deleted.delete(key)
  }

  return {
    kind: 'overlay',
    deleted,
    written,
    get: async (key) => await at(key).get(key),
    getRange: async (key, offset, length) => await at(key).getRange(key, offset, length),
    getStream: async (key) => await at(key).getStream(key),
    head: async (key) => await at(key).head(key),
    async put(key, body) {
      wrote(key)
      return await top.put(key, body)
    },
    async putStream(key, body, options) {
      wrote(key)
      return await top.putStream(key, body, options)
    },
    async putIf(key, body, condition) {
      const now = await at(key).head(key)
      if ('create' in condition ? now !== undefined : now?.etag !== condition.ifMatch)
        return undefined
      wrote(key)
      return await top.put(key, body)
    },
    async *list(prefix, options) {
      const all = new Map<string, ObjectInfo>()
      for (const store of [base, top])
        for await (const info of store.list(prefix, options)) all.set(info.key, info)
      for (const key of [...all.keys()].sort()) if (!deleted.has(key)) yield all.get(key)!
    },
    async delete(keys) {
      await top.delete(keys)
      for (const key of keys) {
        written.delete(key)
        deleted.add(key)
      }
    },
    close: async () => undefined
  }
}
