import { expect, test } from 'vitest'
import { createThumbnailCache } from './thumbnail-cache.ts'

test('the least used bytes go first, and a failure is not kept', async () => {
  const cache = createThumbnailCache({ maxBytes: 25 })
  const made: string[] = []
  const get = (key: string) =>
    cache.get(key, async () => {
      made.push(key)
      return new Uint8Array(10)
    })
  await get('a')
  await get('b')
  await get('a')
  await get('c')
  await get('a')
  await get('b')
  expect(made).toEqual(['a', 'b', 'c', 'b'])
  await expect(cache.get('d', () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect((await cache.get('d', async () => new Uint8Array(1))).length).toBe(1)
})
