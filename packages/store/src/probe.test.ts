import { expect, it } from 'vitest'
import { createMemoryStore } from './memory-store.ts'
import type { ObjectStore, PutCondition } from './object-store.ts'
import { probeObjectStore } from './probe.ts'

/** Returns a store that ignores the conditions that `ignores` selects. */
function careless(ignores: (condition: PutCondition, exists: boolean) => boolean): ObjectStore {
  const inner = createMemoryStore()
  return {
    ...inner,
    async putIf(key, body, condition) {
      const exists = (await inner.head(key)) !== undefined
      return ignores(condition, exists) ? inner.put(key, body) : inner.putIf(key, body, condition)
    }
  }
}

it('accepts a store that honours conditional writes and leaves nothing behind', async () => {
  const store = createMemoryStore()
  await probeObjectStore(store)
  for await (const info of store.list('')) expect.unreachable(info.key)
})

it.each<[string, (condition: PutCondition, exists: boolean) => boolean]>([
  ['created a key that exists', (condition) => 'create' in condition],
  ['replaced an object by a stale etag', (condition, exists) => 'ifMatch' in condition && exists],
  ['replaced a key that does not exist', (condition, exists) => 'ifMatch' in condition && !exists]
])('refuses, by name, a store that %s', async (fault, ignores) => {
  const refusal = probeObjectStore(careless(ignores), 's3://bucket')
  await expect(refusal).rejects.toMatchObject({ code: 'unsupported_store' })
  await expect(refusal).rejects.toThrow(`s3://bucket ${fault}`)
})

it('refuses a store whose conditional writes never happen', async () => {
  const store: ObjectStore = { ...createMemoryStore(), putIf: async () => undefined }
  await expect(probeObjectStore(store)).rejects.toThrow('memory did not create')
})

it('says that a store cannot be reached, and not that it is unsupported', async () => {
  const store: ObjectStore = {
    ...createMemoryStore(),
    putIf: () => Promise.reject(new Error('reset'))
  }
  await expect(probeObjectStore(store)).rejects.toThrow('reset')
})
