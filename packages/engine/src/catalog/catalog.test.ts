// Tests creating and dropping collections on a store that loses answers and delays writes.
import { expect, test } from 'vitest'
import { catalogNameKey, catalogRecordKey, collectionKeys } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { readCurrent } from '../version/current.ts'
import { realProtocol } from '../writer/protocol.ts'
import { createCatalog } from './catalog.ts'

const clock = { nowMs: () => 0, sleep: async () => undefined }
const options = () => ({
  name: 'marks',
  embedding: { version: 'v', dim: 2, unit: false },
  metric: 'L2' as const,
  method: 'FLAT' as const,
  settings: { seal_threshold: 8, view_sizes: [], subjects: false }
})

/**
 * Delays the first write of a matching key: the caller gets an error, and `land` performs the write
 * later.
 */
function lateWrites(store: ObjectStore, matches: (key: string) => boolean) {
  let late: (() => Promise<unknown>) | undefined
  const once = <T>(key: string, write: () => Promise<T>): Promise<T> => {
    if (late !== undefined || !matches(key)) return write()
    late = write
    return Promise.reject(appError('store_unavailable', 'no answer'))
  }
  const faulty: ObjectStore = {
    ...store,
    put: (key, body) => once(key, () => store.put(key, body)),
    putIf: (key, body, condition) => once(key, () => store.putIf(key, body, condition))
  }
  return { faulty, land: async () => void (await late?.()) }
}

/**
 * Makes the first change of a name and loses the answer. Other processes use the change,
 * then the caller gets an error.
 */
function losingAnAnswer(
  store: ObjectStore,
  name: string,
  meanwhile: () => Promise<unknown>
): ObjectStore {
  let lost = false
  return {
    ...store,
    async putIf(key, body, condition) {
      const written = await store.putIf(key, body, condition)
      if (lost || key !== catalogNameKey(name)) return written
      lost = true
      await meanwhile()
      throw appError('store_unavailable', 'reset after the write')
    }
  }
}

test('a first CURRENT that lands late does not undo what was committed since', async () => {
  const store = createMemoryStore()
  const { faulty, land } = lateWrites(
    store,
    (key) => key.startsWith('c/') && key.endsWith('/CURRENT')
  )
  const { collectionId } = await createCatalog({ store: faulty, clock }).create(options())
  const currentKey = collectionKeys(collectionId).current
  const owned = await realProtocol.becomeWriter({ store, clock, currentKey, newId: () => 'mine' })
  expect(owned?.current.epoch).toBe(1)
  await land()
  expect((await readCurrent(store, currentKey))?.current).toEqual(owned?.current)
})

test('a creation whose answer was lost does not bring back a collection that was dropped since', async () => {
  const store = createMemoryStore()
  const other = createCatalog({ store, clock })
  const faulty = losingAnAnswer(store, 'marks', () => other.drop('marks'))
  const { collectionId } = await createCatalog({ store: faulty, clock }).create(options())
  expect(await other.isLive(collectionId)).toBe(false)
  expect((await other.unwanted({ unnamedAfterMs: 0 })).collections).toEqual([
    { collectionId, isNamed: true }
  ])
})

test('an alias resolves as its collection, moves in one step, and keeps it from being dropped', async () => {
  const store = createMemoryStore()
  const catalog = createCatalog({ store, clock })
  const [first, second] = [
    await catalog.create(options()),
    await catalog.create({ ...options(), name: 'marks-2' })
  ]
  const resolved = async (name: string) =>
    (await createCatalog({ store, clock }).resolve(name)).collectionId
  await catalog.setAlias('live', 'marks')
  expect(await resolved('live')).toBe(first.collectionId)
  await catalog.setAlias('live', 'marks-2')
  await catalog.setAlias('other', 'marks-2')
  expect(await resolved('live')).toBe(second.collectionId)
  expect(await catalog.aliases({ fresh: true })).toEqual({ live: 'marks-2', other: 'marks-2' })
  await catalog.removeAlias('other')
  await expect(resolved('other')).rejects.toMatchObject({ code: 'collection_not_found' })
  await expect(catalog.drop('marks-2')).rejects.toMatchObject({
    code: 'collection_has_aliases',
    detail: { aliases: ['live'] }
  })
  await catalog.setAlias('live', 'marks')
  await catalog.drop('marks-2')
  expect(await resolved('live')).toBe(first.collectionId)
})

test('a swap that expects another target than there is changes nothing', async () => {
  const catalog = createCatalog({ store: createMemoryStore(), clock })
  await catalog.create(options())
  await catalog.create({ ...options(), name: 'marks-2' })
  await expect(catalog.setAlias('live', 'marks', { expected: 'marks-2' })).rejects.toMatchObject({
    code: 'alias_moved',
    detail: { collection: null }
  })
  await catalog.setAlias('live', 'marks', { expected: null })
  await expect(catalog.setAlias('live', 'marks-2', { expected: null })).rejects.toMatchObject({
    code: 'alias_moved',
    detail: { collection: 'marks' }
  })
  await expect(catalog.removeAlias('live', { expected: 'marks-2' })).rejects.toMatchObject({
    code: 'alias_moved'
  })
  expect(await catalog.aliases({ fresh: true })).toEqual({ live: 'marks' })
  await catalog.setAlias('live', 'marks-2', { expected: 'marks' })
  await catalog.removeAlias('live', { expected: 'marks-2' })
  expect(await catalog.aliases({ fresh: true })).toEqual({})
})

test('of many swaps that expect the same target at once one wins', async () => {
  const store = createMemoryStore()
  const names = Array.from({ length: 8 }, (_, i) => `marks-${i}`)
  for (const name of names) await createCatalog({ store, clock }).create({ ...options(), name })
  await createCatalog({ store, clock }).setAlias('live', 'marks-0')
  const swaps = await Promise.allSettled(
    names
      .slice(1)
      .map((name) =>
        createCatalog({ store, clock }).setAlias('live', name, { expected: 'marks-0' })
      )
  )
  const won = names.slice(1).filter((_, i) => swaps[i]!.status === 'fulfilled')
  expect(won).toHaveLength(1)
  expect(await createCatalog({ store, clock }).aliases()).toEqual({ live: won[0] })
})

test('a swap whose answer was lost is not refused by its own effect', async () => {
  const store = createMemoryStore()
  const other = createCatalog({ store, clock })
  for (const name of ['marks', 'marks-2', 'marks-3']) await other.create({ ...options(), name })
  await other.setAlias('live', 'marks')
  const faulty = losingAnAnswer(store, 'live', () => other.setAlias('second', 'marks-3'))
  await createCatalog({ store: faulty, clock }).setAlias('live', 'marks-2', { expected: 'marks' })
  expect(await other.aliases({ fresh: true })).toEqual({ live: 'marks-2', second: 'marks-3' })
})

test('an alias is no second name of another collection, nor of nothing', async () => {
  const catalog = createCatalog({ store: createMemoryStore(), clock })
  await catalog.create(options())
  await expect(catalog.setAlias('live', 'none')).rejects.toMatchObject({
    code: 'collection_not_found'
  })
  await expect(catalog.setAlias('marks', 'marks')).rejects.toMatchObject({
    code: 'collection_exists'
  })
  await expect(catalog.setAlias('No Name', 'marks')).rejects.toMatchObject({ code: 'invalid_name' })
  await expect(catalog.removeAlias('live')).rejects.toMatchObject({ code: 'alias_not_found' })
  await catalog.setAlias('live', 'marks')
  await expect(catalog.create({ ...options(), name: 'live' })).rejects.toMatchObject({
    code: 'name_is_alias'
  })
  await expect(catalog.drop('live')).rejects.toMatchObject({ code: 'name_is_alias' })
  await expect(catalog.setAlias('again', 'live')).rejects.toMatchObject({ code: 'name_is_alias' })
})

test('removing an alias whose answer was lost leaves one that was set since', async () => {
  const store = createMemoryStore()
  const other = createCatalog({ store, clock })
  await other.create(options())
  await other.create({ ...options(), name: 'marks-2' })
  await other.setAlias('live', 'marks')
  const faulty = losingAnAnswer(store, 'live', () => other.setAlias('live', 'marks-2'))
  await createCatalog({ store: faulty, clock }).removeAlias('live')
  expect(await other.aliases({ fresh: true })).toEqual({ live: 'marks-2' })
})

test('names that every object has are names like others', async () => {
  const catalog = createCatalog({ store: createMemoryStore(), clock })
  await expect(catalog.resolve('constructor')).rejects.toMatchObject({
    code: 'collection_not_found'
  })
  const { collectionId } = await catalog.create({ ...options(), name: 'constructor' })
  expect((await catalog.resolve('constructor')).collectionId).toBe(collectionId)
  await catalog.drop('constructor')
  await expect(catalog.resolve('constructor')).rejects.toMatchObject({
    code: 'collection_not_found'
  })
})

test('a name whose object is damaged still leads where it led, and concerns no other name', async () => {
  const store = createMemoryStore()
  let nowMs = 0
  const catalog = createCatalog({ store, clock: { ...clock, nowMs: () => nowMs } })
  const spec = await catalog.create(options())
  expect(await catalog.resolve('marks')).toEqual(spec)
  const key = catalogNameKey('marks')
  await catalog.create({ ...options(), name: 'sound' })
  expect(await catalog.list()).toHaveLength(2)
  const { body } = (await store.get(key))!
  await store.put(key, Buffer.from(Buffer.from(body).toString('utf8').replaceAll('marks', 'narks')))
  nowMs = 60_000
  const damaged = { code: 'data_corrupt', message: expect.stringContaining(key) as string }
  expect(await catalog.resolve('marks')).toEqual(spec)
  await expect(catalog.resolve('marks', { fresh: true })).rejects.toMatchObject(damaged)
  await expect(catalog.drop('marks')).rejects.toMatchObject(damaged)
  const restarted = createCatalog({ store, clock })
  await expect(restarted.resolve('marks')).rejects.toMatchObject(damaged)
  expect((await restarted.resolve('sound')).name).toBe('sound')
  expect(await restarted.list()).toHaveLength(1)
  expect(await restarted.damaged()).toMatchObject([{ name: 'marks', error: damaged }])
  expect(await catalog.list({ fresh: true })).toHaveLength(2)
})

test('a drop of an incarnation that is gone leaves the next one of its name alone', async () => {
  const store = createMemoryStore()
  const catalog = createCatalog({ store, clock })
  const { collectionId } = await catalog.create(options())
  await catalog.drop('marks', { expected: collectionId })
  const next = await catalog.create(options())
  expect(await catalog.drop('marks', { expected: collectionId })).toEqual({ collectionId })
  expect(await catalog.isLive(next.collectionId)).toBe(true)
  await catalog.setAlias('other', 'marks')
  await expect(catalog.drop('other', { expected: next.collectionId })).rejects.toMatchObject({
    code: 'name_is_alias'
  })
})

test('a collection that has its name is created, whether its record can be removed or not', async () => {
  const store = createMemoryStore()
  const refused = appError('store_unavailable', 'no deletes', {
    detail: { reason: 'access_denied' }
  })
  const faulty: ObjectStore = { ...store, delete: () => Promise.reject(refused) }
  const { collectionId } = await createCatalog({ store: faulty, clock }).create(options())
  const later = createCatalog({ store, clock: { ...clock, nowMs: () => 7_200_000 } })
  const record = catalogRecordKey(collectionId, 'making')
  expect(await store.head(record)).toBeDefined()
  expect((await later.unwanted({ unnamedAfterMs: 3_600_000 })).collections).toEqual([])
  expect(await store.head(record)).toBeUndefined()
  expect(await later.isLive(collectionId)).toBe(true)
})

test('what the newest version says is listed: the embedding, and whether replicas load the collection', async () => {
  const catalog = createCatalog({ store: createMemoryStore(), clock })
  const spec = await catalog.create(options())
  const pinned = { ...spec, settings: { ...spec.settings, pinned: true, search_budget: 7 } }
  expect([await catalog.setListed(pinned), await catalog.setListed(pinned)]).toEqual([true, false])
  const other = { ...pinned, embedding: { ...spec.embedding, version: 'w' } }
  expect([await catalog.setListed(other), await catalog.setListed(other)]).toEqual([true, false])
  expect(await catalog.list({ fresh: true })).toEqual([
    { ...spec, embedding: other.embedding, settings: { ...spec.settings, pinned: true } }
  ])
  expect(await catalog.setListed({ ...spec, collectionId: 'another' })).toBe(false)
  await catalog.drop('marks')
  expect(await catalog.setListed(spec)).toBe(false)
})
