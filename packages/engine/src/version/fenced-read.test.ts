// Tests the meaning of a missing file for a writer.
import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import { encodeCurrent } from './current.ts'
import { readFenced } from './fenced-read.ts'

const clock = { nowMs: () => 0, sleep: async () => undefined }
const missing = () => Promise.reject(appError('object_not_found', 'seg/x.meta is not in the store'))

async function ownedAt(epoch: number | undefined) {
  const store = createMemoryStore()
  if (epoch !== undefined)
    await store.put(
      'CURRENT',
      encodeCurrent({
        format: 1,
        seq: 3,
        epoch,
        commitId: 'c',
        manifest: 'm',
        sha256: 's',
        writeId: 'w'
      })
    )
  return { store, clock, currentKey: 'CURRENT', newId: () => 'id' }
}

test('a missing file of an owner that was replaced means that the ownership is lost', async () => {
  await expect(readFenced(await ownedAt(8), 7, missing)).rejects.toMatchObject({
    code: 'ownership_lost'
  })
})

test('a missing file of a collection that is gone means the same', async () => {
  await expect(readFenced(await ownedAt(undefined), 7, missing)).rejects.toMatchObject({
    code: 'ownership_lost'
  })
})

test('a missing file of the present owner means that the store has lost data', async () => {
  await expect(readFenced(await ownedAt(7), 7, missing)).rejects.toMatchObject({
    code: 'data_corrupt',
    message: 'seg/x.meta is not in the store'
  })
})

test('other errors pass', async () => {
  await expect(
    readFenced(await ownedAt(8), 7, () => Promise.reject(appError('data_corrupt', 'bad')))
  ).rejects.toMatchObject({ code: 'data_corrupt' })
})
