// Tests a small damage run; `npm run damage` damages 1000 places.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { createMemoryStore } from '@likeness/store/memory-store'
import { temporaryFolder } from '../support/temporary-folder.ts'
import { createOverlayStore } from './overlay-store.ts'
import { runPlaces } from './run-places.ts'
import { inflict } from './stored-file.ts'

test('bits flipped and files cut in every kind of file are found before anything of them is served, and the old version stays', async () => {
  const { counts, undetected, places, flips, cuts } = await runPlaces({
    places: 300,
    seed: 7,
    verifyEvery: 5
  })
  console.log(
    `${places} places, ${flips} bits flipped, ${cuts} files cut, in ${Object.keys(counts).length} kinds of files`
  )
  expect(undetected).toEqual([])
  expect(Object.keys(counts).length).toBe(29)
  expect(Math.min(...Object.values(counts))).toBe(10)
})

test('damage is done and undone', async () => {
  const dir = temporaryFolder('inflict')
  const path = join(dir, 'file')
  await writeFile(path, 'abc')
  const repairFlip = await inflict({ path, at: 1, bit: 0 })
  expect(await readFile(path, 'utf8')).toBe('acc')
  await repairFlip()
  const repairCut = await inflict({ path, at: 1 })
  expect(await readFile(path, 'utf8')).toBe('a')
  await repairCut()
  expect(await readFile(path, 'utf8')).toBe('abc')
})

test('what is written over a store does not reach it', async () => {
  const base = createMemoryStore()
  for (const key of ['a', 'b', 'c']) await base.put(key, Buffer.from(key))
  const over = createOverlayStore(base)
  const { etag } = (await over.head('a'))!
  expect(await over.putIf('a', Buffer.from('A'), { ifMatch: 'other' })).toBeUndefined()
  expect(await over.putIf('a', Buffer.from('A'), { ifMatch: etag })).toBeDefined()
  expect(await over.putIf('b', Buffer.from('B'), { create: true })).toBeUndefined()
  await over.delete(['b'])
  await over.put('d', Buffer.from('D'))
  const keys: string[] = []
  for await (const { key } of over.list('')) keys.push(key)
  expect(keys).toEqual(['a', 'c', 'd'])
  expect([await over.get('b'), Buffer.from((await over.get('a'))!.body).toString()]).toEqual([
    undefined,
    'A'
  ])
  expect(Buffer.from((await base.get('a'))!.body).toString()).toBe('a')
})
