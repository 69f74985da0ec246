// The local files of a replica: kept over a stop, a kill and an eviction, within a bound.
import { cp, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { systemClock } from '@likeness/shared/process/clock'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { filesOfVersion, KeptGalleries, search } from '../testing/kept-galleries.ts'
import { itemsFrom } from '../testing/test-items.ts'
import { KeptCollections } from './kept-collections.ts'

let kept: KeptGalleries
beforeEach(() => {
  kept = new KeptGalleries(temporaryFolder('kept-replica'))
})
afterEach(() => kept.close())

test('after a restart nothing is fetched again, neither after a stop nor after a kill', async () => {
  const gallery = await kept.create('marks')
  const writer = await gallery.openWriter()
  await gallery.remove('item-3')
  await gallery.relabel(['item-4'], { label: 'other' })
  await writer.step({ list: true })
  await kept.formerProcess(gallery)
  const next = kept.start()
  expect(await search(next, gallery)).toBe('item-7')
  expect(kept.streamed).toEqual([])
  // A kill leaves the folder as it is now, with halves of downloads.
  await writeFile(join(kept.folderOf(gallery), 'X.index.01J.part'), 'half')
  const copy = temporaryFolder('killed')
  await cp(kept.dir, copy, { recursive: true })
  kept.dir = copy
  const killed = kept.start()
  expect(await search(killed, gallery)).toBe('item-7')
  expect(kept.streamed).toEqual([])
  expect(await kept.filesOf(gallery)).toEqual(await filesOfVersion(gallery))
})

test('what has changed meanwhile is fetched, and what no version has any more is removed', async () => {
  const gallery = await kept.create('marks')
  await kept.formerProcess(gallery)
  const before = await kept.filesOf(gallery)
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1_000, 300))
  while (await writer.merge());
  const next = kept.start()
  expect(await search(next, gallery)).toBe('item-7')
  expect(await kept.filesOf(gallery)).toEqual(await filesOfVersion(gallery))
  expect(await kept.filesOf(gallery)).not.toEqual(before)
})

test('a served version leaves its files when a newer one takes its place', async () => {
  const gallery = await kept.create('marks')
  const replica = kept.start()
  const writer = await gallery.openWriter()
  const held = await replica.acquire(gallery.spec.collectionId, {
    consistency: 'strong',
    timeoutMs: 60_000
  })
  for (let round = 0; round < 4; round++) {
    await gallery.add(writer, itemsFrom(1_000 * (round + 1), 60))
    await gallery.remove(`item-${50 + round}`)
    await writer.step({ list: true })
    while (await writer.merge());
    expect(await search(replica, gallery)).toBe('item-7')
  }
  expect((await held.getItem('item-50'))?.label).toBe('label-50')
  held.release()
  await vi.waitFor(async () =>
    expect(await kept.filesOf(gallery)).toEqual(await filesOfVersion(gallery))
  )
})

test('a collection that was evicted from memory comes back without the store', async () => {
  const [a, b] = [await kept.create('a'), await kept.create('b')]
  const replica = kept.start({ memoryBytes: 1 })
  for (const gallery of [a, b]) await search(replica, gallery)
  expect(kept.loaded(replica)).toEqual(['b'])
  kept.streamed = []
  for (const gallery of [a, b, a]) expect(await search(replica, gallery)).toBe('item-7')
  expect(kept.streamed).toEqual([])
})

test('beyond the bound of the disk the least used collection goes, a loaded one never', async () => {
  const [a, b, c] = [await kept.create('a'), await kept.create('b'), await kept.create('c')]
  await kept.formerProcess(b, a, c)
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] })
  try {
    let nowMs = Date.now()
    const sizes = await Promise.all(
      (await kept.filesOf(a)).map((name) => stat(join(kept.folderOf(a), name)))
    )
    const replica = kept.start({
      clock: { ...systemClock, nowMs: () => nowMs },
      diskBytes: 2.5 * sizes.reduce((sum, { size }) => sum + size, 0)
    })
    // The least used one is loaded again, but its use is not known yet when the disk is looked at.
    await search(replica, b)
    nowMs += 61_000
    vi.advanceTimersByTime(60_000)
    await vi.waitFor(async () => expect(await kept.kept()).toEqual(['b', 'c']))
    for (const gallery of [a, b, c]) expect(await search(replica, gallery)).toBe('item-7')
  } finally {
    vi.useRealTimers()
  }
})

test('on a full disk the files of collections that are not loaded make room', async () => {
  const [a, b, c] = [await kept.create('a'), await kept.create('b'), await kept.create('c')]
  await kept.formerProcess(a, b)
  const replica = kept.start()
  await search(replica, b)
  kept.onStream = (key) => {
    if (!key.includes(c.spec.collectionId)) return
    kept.onStream = () => undefined
    throw Object.assign(new Error('write'), { code: 'ENOSPC' })
  }
  expect(await search(replica, c)).toBe('item-7')
  expect(await kept.kept()).toEqual(['b', 'c'])
  expect(await search(replica, b)).toBe('item-7')
})

test('a read of a collection whose files are just being removed waits, and fetches them again', async () => {
  const [a, b] = [await kept.create('a'), await kept.create('b')]
  await kept.formerProcess(b)
  let goOn!: () => void
  const isRemoving = new Promise<void>((resolve) => {
    const remove = KeptCollections.prototype.remove
    vi.spyOn(KeptCollections.prototype, 'remove').mockImplementationOnce(async function (
      this: KeptCollections,
      id
    ) {
      resolve()
      await new Promise<void>((resolve) => (goOn = resolve))
      await remove.call(this, id)
    })
  })
  const replica = kept.start()
  kept.onStream = () => {
    kept.onStream = () => undefined
    throw Object.assign(new Error('write'), { code: 'ENOSPC' })
  }
  const answers = [search(replica, a)]
  await isRemoving
  answers.push(search(replica, b))
  await new Promise((resolve) => setTimeout(resolve, 50))
  const meanwhile = replica.status()
  goOn()
  expect(meanwhile).toEqual([])
  expect(await Promise.all(answers)).toEqual(['item-7', 'item-7'])
  expect(await kept.filesOf(b)).toEqual(await filesOfVersion(b))
})

test('reads, evictions, removals and loads of the same collections at the same time all answer', async () => {
  const all = [await kept.create('a'), await kept.create('b'), await kept.create('c')]
  await kept.formerProcess(...all)
  const replica = kept.start({ memoryBytes: 1, diskBytes: 0 })
  const warming = replica.warm([])
  let failing = 0
  kept.onStream = () => {
    // Now and then the disk is full, so that files of collections go that are wanted again.
    if (++failing % 5 === 0) throw Object.assign(new Error('write'), { code: 'ENOSPC' })
  }
  for (let round = 0; round < 15; round++) {
    const answers = await Promise.all(
      [0, 1, 2, 1, 0].map(async (n) => {
        try {
          return await search(replica, all[n]!)
        } catch (error) {
          return (error as { code: string }).code
        }
      })
    )
    for (const answer of answers) expect(['item-7', 'replica_behind']).toContain(answer)
  }
  await warming
  kept.onStream = () => undefined
  for (const gallery of all) expect(await search(replica, gallery)).toBe('item-7')
})
