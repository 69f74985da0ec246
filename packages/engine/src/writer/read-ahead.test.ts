// Tests what a new owner reads while the old one goes on.
import { afterEach, expect, test } from 'vitest'
import { systemClock } from '@likeness/shared/process/clock'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createGallery, type Gallery } from '../testing/gallery.ts'
import { readAhead } from './read-ahead.ts'

let gallery: Gallery
let read: string[] = []
/** Called before each read. */
let before: (key: string) => Promise<void> = async () => undefined
afterEach(() => gallery.close())

async function openGallery() {
  const store = createMemoryStore()
  read = []
  before = async () => undefined
  const get: ObjectStore['get'] = async (key, ...rest) => {
    read.push(key)
    await before(key)
    return await store.get(key, ...rest)
  }
  gallery = await createGallery({ method: 'FLAT', store: { ...store, get } })
  return await gallery.openWriter()
}
const ahead = async () =>
  (await readAhead({
    store: gallery.store,
    clock: systemClock,
    files: gallery.files,
    collectionId: gallery.spec.collectionId
  }))!
const items = (first: number, count: number) =>
  Array.from({ length: count }, (_, i) => ({ id: `item-${first + i}`, seeds: [first + i] }))
const filesRead = () => read.filter((key) => /\/(seg|del|side)\//.test(key))

test('the new owner reads only what came after, and has all of it', async () => {
  const old = await openGallery()
  await gallery.add(old, items(0, 20))
  const made = await ahead()
  expect(made.items).toBe(20)
  const early = new Set(filesRead())
  await gallery.add(old, items(20, 5))
  await gallery.remove('item-3')
  await old.step({})
  read = []
  const writer = await gallery.openWriter({ files: made.files })
  expect(filesRead().filter((key) => early.has(key))).toEqual([])
  expect(filesRead().length).toBeGreaterThan(0)
  expect(writer.items).toBe(24)
  await gallery.add(writer, items(30, 1))
  await expect(gallery.add(old, items(40, 1))).rejects.toMatchObject({ code: 'ownership_lost' })
  await writer.step({ list: true })
  expect((await gallery.allIds()).length).toBe(26)
})

test('a version whose files are collected while they are read is passed over', async () => {
  const old = await openGallery()
  await gallery.add(old, items(0, 3))
  let isFirst = true
  before = async (key) => {
    if (!isFirst || !key.includes('/seg/')) return
    isFirst = false
    await gallery.remove('item-0')
    await gallery.remove('item-1')
    await gallery.remove('item-2')
    await old.step({})
    await gallery.add(old, items(10, 2))
    expect(await old.collect()).toBeGreaterThan(0)
  }
  const made = await ahead()
  expect(isFirst).toBe(false)
  expect(made.items).toBe(2)
  expect((await gallery.openWriter({ files: made.files })).items).toBe(2)
})

test('a collection that is dropped is not read, and what is not needed is forgotten', async () => {
  const old = await openGallery()
  await gallery.add(old, items(0, 3))
  const made = await ahead()
  made.clear()
  read = []
  await gallery.openWriter({ files: made.files })
  expect(filesRead().length).toBeGreaterThan(0)
  await gallery.catalog.drop(gallery.spec.name)
  expect(await ahead()).toBeUndefined()
})
