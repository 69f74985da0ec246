import { expect, test } from 'vitest'
import { createMemoryStore } from '@likeness/store/memory-store'
import { readPicture } from './read-picture.ts'

const limits = { maxBytes: 4, timeoutMs: 60_000 }

test('a picture is read with one call, up to the size that is allowed', async () => {
  const store = createMemoryStore()
  await store.put('fits', Uint8Array.of(1, 2, 3, 4))
  await store.put('large', Uint8Array.of(1, 2, 3, 4, 5))
  const calls: string[] = []
  const counted = new Proxy(store, {
    get: (of, name, self) => (calls.push(String(name)), Reflect.get(of, name, self) as unknown)
  })
  expect([...(await readPicture(counted, 'fits', limits))]).toEqual([1, 2, 3, 4])
  expect(calls).toEqual(['getRange'])
  await expect(readPicture(store, 'large', limits)).rejects.toMatchObject({ code: 'too_large' })
  await expect(readPicture(store, 'nowhere', limits)).rejects.toMatchObject({
    code: 'image_missing'
  })
})

test('a store that does not answer is away', async () => {
  const store = { ...createMemoryStore(), getRange: () => new Promise<never>(() => undefined) }
  await expect(readPicture(store, 'fits', { ...limits, timeoutMs: 50 })).rejects.toMatchObject({
    code: 'store_unavailable'
  })
})
