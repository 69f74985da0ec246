// A replica that starts: which collections it loads before they are asked for.
import { cp, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { appError } from '@likeness/shared/errors'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { KeptGalleries, search } from '../testing/kept-galleries.ts'
import { dim } from '../testing/test-items.ts'

const day = 24 * 3_600_000
let kept: KeptGalleries
beforeEach(() => {
  kept = new KeptGalleries(temporaryFolder('warm-up'))
})
afterEach(() => kept.close())
const listed = () => kept.galleries.map(({ spec }) => spec)

test('the pinned and the last used collections are loaded at the start, others are not', async () => {
  const pinned = await kept.create('pinned', { pinned: true })
  const [old, late, later] = [
    await kept.create('old'),
    await kept.create('late'),
    await kept.create('later')
  ]
  await kept.create('never')
  await kept.formerProcess(old, late, later)
  await kept.setUsed(old, 2 * day)
  const replica = kept.start()
  await replica.warm(listed())
  expect(kept.loaded(replica)).toEqual(['late', 'later', 'pinned'])
  expect(replica.warming()).toEqual([])
  kept.streamed = []
  for (const gallery of [late, later, pinned]) expect(await search(replica, gallery)).toBe('item-7')
  expect(kept.streamed).toEqual([])
})

test('the memory bounds what is loaded at the start: the last used come first, pinned ones always', async () => {
  const [a, b, c] = [await kept.create('a'), await kept.create('b'), await kept.create('c')]
  const pinned = await kept.create('pinned', { pinned: true })
  await kept.formerProcess(pinned, a, b, c)
  const bytes = 100 * (4 * dim + 300 + 60)
  const said: string[] = []
  const logger = { ...silentLogger(), info: (_: unknown, text: string) => said.push(text) }
  const replica = kept.start({ memoryBytes: 3.5 * bytes, logger: logger as never })
  await replica.warm(listed())
  expect(kept.loaded(replica)).toEqual(['b', 'c', 'pinned'])
  // Nothing is loaded only to be evicted.
  expect(said).toEqual([])
  // A load at the start is no use: what is read now stays, of the others the last used one.
  await search(replica, a)
  expect(kept.loaded(replica)).toEqual(['a', 'c', 'pinned'])
  const tight = kept.start({ memoryBytes: 1, cacheDir: temporaryFolder('tight') })
  await tight.warm(listed())
  expect(kept.loaded(tight)).toEqual(['pinned'])
})

test('a collection that was dropped meanwhile is forgotten with its files', async () => {
  const [a, b, c] = [await kept.create('a'), await kept.create('b'), await kept.create('c')]
  await kept.formerProcess(a, b, c)
  await kept.setUsed(a, 5 * day)
  await a.catalog.drop('a')
  await b.catalog.drop('b')
  const replica = kept.start()
  await replica.warm([c.spec])
  expect(kept.loaded(replica)).toEqual(['c'])
  expect((await readdir(kept.dir)).sort()).toEqual([
    c.spec.collectionId,
    `${c.spec.collectionId}.used`
  ])
})

test('a collection that cannot be loaded keeps no other one waiting, and is tried again when it is read', async () => {
  const [a, b] = [await kept.create('a'), await kept.create('b')]
  await kept.formerProcess(a, b)
  await writeFile(
    join(kept.folderOf(b), (await kept.filesOf(b)).find((name) => name.endsWith('.meta'))!),
    ''
  )
  const { store } = b
  const key = b.keys.segmentPrefix
  kept.onStream = (asked) => {
    if (asked.startsWith(key)) throw appError('data_corrupt', 'damaged')
  }
  const replica = kept.start({ store })
  await replica.warm(listed())
  expect(kept.loaded(replica)).toEqual(['a'])
  await expect(search(replica, b)).rejects.toMatchObject({ code: 'replica_behind' })
  kept.onStream = () => undefined
  expect(await search(replica, b)).toBe('item-7')
})

test('while the store is away the start waits for it, and says what it waits for', async () => {
  const a = await kept.create('a')
  await kept.formerProcess(a)
  const { store } = a
  let isAway = true
  const away: typeof store = {
    ...store,
    get: async (key) => {
      if (isAway) throw appError('store_unavailable', 'the store is away')
      return await store.get(key)
    }
  }
  const slept: (() => void)[] = []
  const sleep = () => new Promise<void>((resolve) => slept.push(resolve))
  const replica = kept.start({ store: away, clock: { ...systemClock, sleep } })
  const warming = replica.warm(listed())
  for (let round = 0; round < 3; round++) {
    await vi.waitFor(() => expect(slept).toHaveLength(1))
    expect(replica.warming()).toEqual([a.spec.collectionId])
    if (round === 2) isAway = false
    slept.pop()!()
  }
  await warming
  expect([replica.warming(), kept.loaded(replica)]).toEqual([[], ['a']])
  expect(kept.streamed).toEqual([])
})

test('a start that died while it loaded a collection is not repeated: the next one loads the others', async () => {
  const [a, b] = [await kept.create('a'), await kept.create('b')]
  const pinned = await kept.create('pinned', { pinned: true })
  await kept.formerProcess(a, b)
  const copy = temporaryFolder('died')
  const dying = kept.start({
    cacheDir: copy,
    store: { ...a.store, getStream: () => new Promise(() => undefined) }
  })
  await cp(kept.dir, copy, { recursive: true })
  await rm(kept.folderOf(b).replace(kept.dir, copy), { recursive: true })
  await mkdir(kept.folderOf(b).replace(kept.dir, copy))
  kept.abandon(dying)
  void dying.warm(listed())
  // The load of `a` ends. Those of `b` and `pinned` do not: they wait for the store.
  await vi.waitFor(async () => {
    expect(kept.loaded(dying)).toEqual(['a'])
    expect((await readdir(copy)).filter((name) => name.endsWith('.loading')).sort()).toEqual(
      [b, pinned].map(({ spec }) => `${spec.collectionId}.loading`).sort()
    )
  })
  kept.dir = temporaryFolder('next')
  await cp(copy, kept.dir, { recursive: true })
  const next = kept.start()
  await next.warm(listed())
  expect(kept.loaded(next)).toEqual(['a'])
  for (const gallery of [a, b, pinned]) expect(await search(next, gallery)).toBe('item-7')
  await kept.stop(next)
  const later = kept.start()
  await later.warm(listed())
  expect(kept.loaded(later)).toEqual(['a', 'b', 'pinned'])
})

test('a start that is stopped while it loads is repeated', async () => {
  const pinned = await kept.create('pinned', { pinned: true })
  let goOn!: () => void
  const isHeld = new Promise<void>((resolve) => (goOn = resolve))
  const stopped = kept.start({
    store: {
      ...pinned.store,
      getStream: async (key) => {
        await isHeld
        return await pinned.store.getStream(key)
      }
    }
  })
  const warming = stopped.warm(listed())
  await vi.waitFor(async () =>
    expect(await readdir(kept.dir)).toContain(`${pinned.spec.collectionId}.loading`)
  )
  const stopping = kept.stop(stopped)
  // The process may end before its loads do.
  await vi.waitFor(async () =>
    expect(await readdir(kept.dir)).not.toContain(`${pinned.spec.collectionId}.loading`)
  )
  goOn()
  await Promise.all([stopping, warming])
})

test('a stop ends the loading', async () => {
  const a = await kept.create('a')
  await kept.formerProcess(a)
  const replica = kept.start({
    store: {
      ...a.store,
      get: async () => {
        throw appError('store_unavailable', 'the store is away')
      }
    },
    clock: { ...systemClock, sleep: async () => undefined }
  })
  const warming = replica.warm(listed())
  await kept.stop(replica)
  await warming
  expect(kept.loaded(replica)).toEqual([])
})
