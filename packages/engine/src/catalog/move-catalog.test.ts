// Tests that a store of a program before 0.4 is taken over whole, while that program still runs.
import { expect, test } from 'vitest'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { catalogKey, catalogNamesPrefix, collectionKeys } from '@likeness/shared/contract/keys'
import { toStored } from '@likeness/shared/contract/stored-names'
import { createUlid } from '@likeness/shared/data/ulid'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { z } from 'zod'
import { randomOf, Steps } from '../testing/steps.ts'
import { encodeCurrent, isDropped, readCurrent } from '../version/current.ts'
import { createCatalog } from './catalog.ts'

const clock = { nowMs: () => 1_000, sleep: async () => undefined }
const specOf = (name: string): CollectionSpec => ({
  name,
  collectionId: createUlid(1_000),
  createdAtMs: 1_000,
  embedding: { version: 'v', dim: 2, unit: false },
  metric: 'L2',
  method: 'FLAT',
  storage: 'f32',
  rescore: false,
  settings: { seal_threshold: 8, view_sizes: [], subjects: false } as never
})

interface OldCatalog {
  collections: Record<string, unknown>
  aliases: Record<string, string>
  dropped: { incarnation: string; atMs: number }[]
}
const anyObject = z.looseObject({ format: z.number() })

/** Changes the object of format 1 as the program before 0.4 did. Returns false when it refuses. */
async function changeOld(store: ObjectStore, edit: (old: OldCatalog) => void): Promise<boolean> {
  for (;;) {
    const stored = await store.get(catalogKey)
    const read =
      stored === undefined
        ? { format: 1, collections: {}, aliases: {}, dropped: [] }
        : decodeObject(anyObject, catalogKey, stored.body)
    if (read.format !== 1) return false
    const old = structuredClone(read) as unknown as OldCatalog
    edit(old)
    const body = encodeObject({ ...old, format: 1, writeId: createUlid() })
    const condition = stored === undefined ? ({ create: true } as const) : { ifMatch: stored.etag }
    if ((await store.putIf(catalogKey, body, condition)) !== undefined) return true
  }
}

async function createOld(store: ObjectStore, spec: CollectionSpec): Promise<boolean> {
  const { current, manifest } = collectionKeys(spec.collectionId)
  const named = { seq: 0, epoch: 0, commitId: 'x', manifest: manifest(0, 0, 'x') }
  const first = encodeCurrent({ format: 1, ...named, sha256: 'x', writeId: 'x' })
  await store.putIf(current, first, { create: true })
  return await changeOld(store, ({ collections }) => {
    collections[spec.name] = toStored(spec)
  })
}

const dropOld = (store: ObjectStore, { name, collectionId }: CollectionSpec): Promise<boolean> =>
  changeOld(store, (old) => {
    old.collections = Object.fromEntries(
      Object.entries(old.collections).filter(([other]) => other !== name)
    )
    old.dropped.push({ incarnation: collectionId, atMs: 1_000 })
  })

test('names, aliases and drops of the old object are found in the new ones', async () => {
  const store = createMemoryStore()
  const [one, two, gone] = [specOf('one'), specOf('two'), specOf('gone')]
  for (const spec of [one, two, gone]) await createOld(store, spec)
  await dropOld(store, gone)
  await changeOld(store, ({ aliases }) => {
    aliases.live = 'one'
  })
  const catalog = createCatalog({ store, clock })
  expect((await catalog.list()).map(({ name }) => name)).toEqual(['one', 'two'])
  expect(await catalog.resolve('live')).toMatchObject({ collectionId: one.collectionId })
  expect(await catalog.aliasesOf('one')).toEqual(['live'])
  await expect(catalog.drop('one')).rejects.toMatchObject({ code: 'collection_has_aliases' })
  expect(await catalog.isLive(gone.collectionId)).toBe(false)
  expect((await catalog.unwanted({ unnamedAfterMs: 0 })).collections).toEqual([
    { collectionId: gone.collectionId, isNamed: true }
  ])
  expect(await catalog.movedAtMs()).toBe(1_000)
  await catalog.drop('two')
  expect(await changeOld(store, () => undefined)).toBe(false)
  expect((await createCatalog({ store, clock }).list()).map(({ name }) => name)).toEqual(['one'])
})

test('in every order of steps, what the old program has answered is kept, and a change since is not undone', async () => {
  for (let seed = 0; seed < 300; seed++) {
    const random = randomOf(seed)
    const store = createMemoryStore()
    const [one, two, three] = [specOf('one'), specOf('two'), specOf('three')]
    await createOld(store, one)
    await createOld(store, two)
    await changeOld(store, ({ aliases }) => {
      aliases.live = 'two'
    })
    const steps = new Steps(random)
    const before = steps.storeOf(store, Infinity)
    const answered = { created: false, dropped: false }
    void (async () => {
      answered.created = await createOld(before, three)
      answered.dropped = await dropOld(before, one)
    })()
    let isNewDropped = false
    for (let process = 0; process < 3; process++) {
      const livesFor = random() < 0.5 ? Math.floor(random() * 20) : Infinity
      const catalog = createCatalog({ store: steps.storeOf(store, livesFor), clock })
      void (async () => {
        await catalog.removeAlias('live').catch(() => undefined)
        await catalog.drop('two')
        isNewDropped = true
      })().catch(() => undefined)
    }
    await steps.run()
    const catalog = createCatalog({ store, clock })
    const names = (await catalog.list()).map(({ name }) => name)
    expect(names.includes('three'), `seed ${seed}`).toBe(answered.created)
    expect(names.includes('one'), `seed ${seed}`).toBe(!answered.dropped)
    if (isNewDropped) expect(names, `seed ${seed}`).not.toContain('two')
    const { current } = (await readCurrent(store, collectionKeys(one.collectionId).current))!
    expect(isDropped(current), `seed ${seed}`).toBe(answered.dropped)
  }
})

test('a store without any catalogue begins with names of their own', async () => {
  const store = createMemoryStore()
  const catalog = createCatalog({ store, clock })
  expect(await catalog.list()).toEqual([])
  expect(await catalog.movedAtMs()).toBeNull()
  for await (const { key } of store.list(catalogNamesPrefix)) throw new Error(key)
})
