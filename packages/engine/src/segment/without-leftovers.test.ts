import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import type { SegmentFiles } from './segment-files.ts'
import { withoutLeftovers } from './without-leftovers.ts'

const filesOf = (store: ObjectStore): SegmentFiles =>
  ({
    put: async (key: string, body: Uint8Array) => void (await store.put(key, body))
  }) as unknown as SegmentFiles
async function keysOf(store: ObjectStore): Promise<string[]> {
  const keys = []
  for await (const { key } of store.list('')) keys.push(key)
  return keys
}
const full = appError('store_unavailable', 'no space left on the disk')

test('a try that fails leaves nothing, one that succeeds leaves all, and other files stay', async () => {
  const store = createMemoryStore()
  const files = filesOf(store)
  await store.put('other', Buffer.from('x'))
  const failing = withoutLeftovers({ store, files }, async (noted) => {
    await noted.put('a', Buffer.from('a'))
    throw full
  })
  await expect(failing).rejects.toBe(full)
  expect(await keysOf(store)).toEqual(['other'])
  await withoutLeftovers({ store, files }, (noted) => noted.put('b', Buffer.from('b')))
  expect(await keysOf(store)).toEqual(['b', 'other'])
})

test('the error of the work counts, also when nothing can be deleted', async () => {
  const store = { delete: () => Promise.reject(new Error('away')) }
  const failing = withoutLeftovers({ store, files: filesOf(createMemoryStore()) }, () =>
    Promise.reject(full)
  )
  await expect(failing).rejects.toBe(full)
})
