// The log while slots of it are folded and deleted: an operation is in it once, or nobody was told that
// it is. Each test stops an appender or a search at a step, folds, and lets it go on.
import { expect, test } from 'vitest'
import { decodeLogSlot, encodeLogSlot, type Operation } from '@likeness/shared/contract/operation'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createLogAppender } from '../src/log/log-appender.ts'
import { itemsFrom } from '../src/testing/test-items.ts'
import { fill, gallery, open, settle, version, writer } from './folded-gallery.ts'

/** Runs once, before or after the next call of a method of the store. */
interface Interruption {
  method: 'putIf' | 'get'
  when: 'before' | 'after'
  isMeant: (key: string) => boolean
  run: () => Promise<void>
}

let interruption: Interruption | undefined

/** Appends through a store of which a call may be interrupted, while the writer uses the real one. */
async function openInterruptible(): Promise<ReturnType<typeof createLogAppender>> {
  const store = createMemoryStore()
  await open({ stateShape: {}, store })
  const meets = (method: Interruption['method'], when: Interruption['when'], key: string) => {
    const now = interruption
    if (now?.method !== method || now.when !== when || !now.isMeant(key)) return
    interruption = undefined
    return now.run()
  }
  const interrupted: ObjectStore = {
    ...store,
    async putIf(key, ...rest) {
      await meets('putIf', 'before', key)
      const written = await store.putIf(key, ...rest)
      await meets('putIf', 'after', key)
      return written
    },
    async get(key) {
      await meets('get', 'before', key)
      const stored = await store.get(key)
      await meets('get', 'after', key)
      return stored
    }
  }
  return createLogAppender({ store: interrupted, clock: gallery.clock })
}

const isSlot = (key: string): boolean => key.startsWith(gallery.keys.logPrefix)

/** Folds all that was appended, twice, and deletes it. */
async function foldAway(): Promise<void> {
  for (const first of [300, 400]) {
    await gallery.add(writer, itemsFrom(first, 2))
    await writer.fold()
  }
  while (await writer.collectFolded());
}

const remove = (opId: string, ...ids: string[]): Operation => ({
  opId,
  atMs: 0,
  kind: 'delete',
  ids
})

/** Revisions under which the log above the floor has an operation. */
async function placesOf(opId: string): Promise<number[]> {
  const floor = (await version()).history!.floor
  const places: number[] = []
  for (const key of await gallery.storedKeys(gallery.keys.logPrefix)) {
    const slot = Number(key.slice(gallery.keys.logPrefix.length))
    const { operations } = decodeLogSlot(key, (await gallery.store.get(key))!.body)
    for (const operation of operations)
      if (operation.opId === opId && slot > floor) places.push(slot)
  }
  return places
}

test('a slot that was good is applied and folded before its writer looks: answered, and not written again', async () => {
  const appender = await openInterruptible()
  await fill(0)
  let runs = 0
  interruption = {
    method: 'putIf',
    when: 'after',
    isMeant: isSlot,
    async run() {
      runs++
      await settle()
      await foldAway()
    }
  }
  const { collectionId } = gallery.spec
  const { slot } = await appender.append(collectionId, remove('one', 'item-9'))
  expect([runs, slot <= (await version()).history!.floor]).toEqual([1, true])
  expect(await placesOf('one')).toEqual([])
  expect(await gallery.allIds()).not.toContain('item-9')
})

test.each([
  ['nobody else may append', undefined],
  ['another process may append too', 0]
])(
  'a slot is created on a number that was used and deleted, by an operation that %s: it is appended again',
  async (_, afterSlot) => {
    const appender = await openInterruptible()
    await fill(0)
    await settle()
    let stray: string | undefined
    interruption = {
      method: 'putIf',
      when: 'before',
      isMeant: isSlot,
      async run() {
        await foldAway()
        await fill(500)
        stray = (await gallery.storedKeys(gallery.keys.logPrefix))[0]
      }
    }
    const { collectionId } = gallery.spec
    const options = afterSlot === undefined ? {} : { afterSlot }
    const { slot } = await appender.append(collectionId, remove('one', 'item-9'), options)
    expect(await placesOf('one')).toEqual([slot])
    expect(stray).toBeDefined()
    await settle()
    expect(await gallery.allIds()).not.toContain('item-9')
    // The slot on the old number is garbage of the next deletion.
    const before = await gallery.storedKeys(gallery.keys.logPrefix)
    expect(before[0]! < stray!).toBe(true)
    await foldAway()
    expect(await gallery.storedKeys(gallery.keys.logPrefix)).not.toContain(before[0])
  }
)

test('two processes with one operation, one of them stalled until the other one is folded: it is in the log once', async () => {
  const appender = await openInterruptible()
  await fill(0)
  const { collectionId } = gallery.spec
  let other: { slot: number } | undefined
  interruption = {
    method: 'putIf',
    when: 'before',
    isMeant: isSlot,
    async run() {
      other = await gallery.appender.append(collectionId, remove('one', 'item-9'), { afterSlot: 0 })
      await settle()
      await foldAway()
    }
  }
  const mine = await appender.append(collectionId, remove('one', 'item-9'), { afterSlot: 0 })
  expect(mine).toEqual(other)
  expect(await placesOf('one')).toEqual([])
})

test('a search finds what was folded, also while it is folded and deleted between two reads', async () => {
  const appender = await openInterruptible()
  await fill(0)
  const { collectionId } = gallery.spec
  const appended = await gallery.appender.append(collectionId, remove('one', 'item-9'))
  await fill(100)
  interruption = {
    method: 'get',
    when: 'before',
    isMeant: (key) => key === gallery.keys.logSlot(appended.slot),
    run: foldAway
  }
  expect(await appender.find(collectionId, 'one', appended.slot - 3)).toEqual(appended)
  expect(interruption).toBeUndefined()
  for (const after of [0, appended.slot - 1]) {
    expect(await appender.find(collectionId, 'one', after)).toEqual(appended)
    const again = await appender.append(collectionId, remove('one', 'item-9'), { afterSlot: after })
    expect(again).toEqual(appended)
  }
  expect(await appender.find(collectionId, 'one', appended.slot)).toBeUndefined()
  expect(await appender.find(collectionId, 'never', 0)).toBeUndefined()
})

test('a slot on an old number that holds the operation is not taken for the log', async () => {
  const appender = await openInterruptible()
  await fill(0)
  await foldAway()
  const { collectionId } = gallery.spec
  const { floor } = (await version()).history!
  await gallery.store.put(
    gallery.keys.logSlot(floor),
    encodeLogSlot([remove('one', 'item-9'), remove('two', 'item-8')])
  )
  expect(await appender.find(collectionId, 'one', floor - 1)).toBeUndefined()
  const { slot } = await appender.append(collectionId, remove('one', 'item-9'), {
    afterSlot: floor - 1
  })
  expect([slot > floor, await placesOf('one')]).toEqual([true, [slot]])
})

test('with a damaged CURRENT an operation goes above every slot that a base names', async () => {
  const appender = await openInterruptible()
  await fill(0)
  await foldAway()
  const { collectionId } = gallery.spec
  const { appliedSlot } = await version()
  await gallery.store.put(gallery.keys.current, Buffer.from('damaged'))
  const { slot } = await appender.append(collectionId, {
    kind: 'rebuild',
    opId: 'r',
    atMs: Date.now()
  })
  expect(slot).toBe(appliedSlot + 1)
})

test('an operation of a process that was stopped for long has no known outcome when its slot was folded', async () => {
  let nowMs = Date.now()
  await openInterruptible()
  await fill(0)
  const { store, spec } = gallery
  const clock = { ...gallery.clock, nowMs: () => nowMs }
  const stopped = createLogAppender({
    clock,
    store: {
      ...store,
      async putIf(key, ...rest) {
        if (isSlot(key) && nowMs < Date.now() + 60_000) {
          await foldAway()
          nowMs = Date.now() + 3_600_000
        }
        return await store.putIf(key, ...rest)
      }
    }
  })
  const appended = stopped.append(spec.collectionId, remove('one', 'item-9'))
  await expect(appended).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(await placesOf('one')).toEqual([])
})
