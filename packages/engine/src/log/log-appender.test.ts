// Tests that the log has an operation exactly once, in the order of acceptance, for every fault in
// the write of its slot.
import { expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { decodeLogSlot, type Operation, slotOf } from '@likeness/shared/contract/operation'
import { maxOpenJobs, maxOpenLineBytes } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { ObjectStore } from '@likeness/store/object-store'
import { createCatalog } from '../catalog/catalog.ts'
import { encodeCurrent, readCurrent, withState } from '../version/current.ts'
import { createLogAppender } from './log-appender.ts'

const options = {
  name: 'marks',
  embedding: { version: 'v', dim: 2, unit: false },
  metric: 'L2',
  method: 'FLAT',
  settings: { seal_threshold: 8, view_sizes: [], subjects: false }
} as const
const remove = (opId: string): Operation => ({ opId, atMs: 0, kind: 'delete', ids: ['a'] })
const ticks = async (n: number): Promise<void> => {
  for (let i = 0; i < n; i++) await Promise.resolve()
}

async function withLog() {
  const store = createMemoryStore()
  const clock = {
    nowMs: () => 0,
    sleep: () => new Promise<void>((resolve) => setImmediate(resolve))
  }
  const { collectionId } = await createCatalog({ store, clock }).create({
    ...options,
    settings: { ...options.settings, view_sizes: [] }
  })
  const opIds = async (): Promise<string[]> => {
    const found: string[] = []
    for await (const { key } of store.list(collectionKeys(collectionId).logPrefix))
      found.push(
        ...decodeLogSlot(key, (await store.get(key))!.body).operations.map(({ opId }) => opId)
      )
    return found
  }
  return {
    store,
    clock,
    collectionId,
    opIds,
    appender: (over: Partial<ObjectStore> = {}) =>
      createLogAppender({ store: { ...store, ...over }, clock })
  }
}

test('asking for the tail while a slot is in doubt does not put its operation into the log twice', async () => {
  const { store, collectionId, opIds, appender } = await withLog()
  let first = true
  const log = appender({
    async putIf(key, body, condition) {
      const written = await store.putIf(key, body, condition)
      if (!first) return written
      first = false
      expect(await log.tail(collectionId)).toBeGreaterThanOrEqual(0)
      throw appError('store_unavailable', 'reset after the write')
    }
  })
  expect(await log.append(collectionId, remove('one'))).toEqual({ revision: 1024, slot: 1 })
  expect(await opIds()).toEqual(['one'])
})

test('an operation sent again through another process is answered with the place of the first attempt', async () => {
  const { collectionId, opIds, appender } = await withLog()
  const afterSlot = await appender().tail(collectionId)
  const first = await appender().append(collectionId, remove('one'))
  for (let i = 0; i < 40; i++) await appender().append(collectionId, remove(`other-${i}`))
  expect(await appender().append(collectionId, remove('one'), { afterSlot })).toEqual(first)
  expect((await opIds()).filter((opId) => opId === 'one')).toHaveLength(1)
})

test('an attempt that comes late finds what a second one has put into the log, however far behind it is', async () => {
  const { store, collectionId, opIds, appender } = await withLog()
  let stall: Promise<void> | undefined
  let goOn = (): void => undefined
  const stalled = appender({
    async putIf(key, body, condition) {
      await (stall ??= new Promise((resolve) => (goOn = resolve)))
      return await store.putIf(key, body, condition)
    }
  })
  const first = stalled.append(collectionId, remove('one'), { afterSlot: 0 })
  await new Promise((resolve) => setImmediate(resolve))
  const other = appender()
  for (let i = 0; i < 5; i++) await other.append(collectionId, remove(`before-${i}`))
  const second = await other.append(collectionId, remove('one'), { afterSlot: 0 })
  for (let i = 0; i < 30; i++) await other.append(collectionId, remove(`after-${i}`))
  goOn()
  expect(await first).toEqual(second)
  expect((await opIds()).filter((opId) => opId === 'one')).toHaveLength(1)
})

test('the same operation sent twice to one process waits for one place', async () => {
  const { collectionId, opIds, appender } = await withLog()
  const log = appender()
  const answers = await Promise.all([
    log.append(collectionId, remove('one'), { afterSlot: 0 }),
    log.append(collectionId, remove('one'), { afterSlot: 0 }),
    log.append(collectionId, remove('two'))
  ])
  expect(answers[0]).toEqual(answers[1])
  expect((await opIds()).toSorted()).toEqual(['one', 'two'])
})

test('an append is never forgotten, at whatever moment after the one before it comes', async () => {
  const { collectionId, opIds, appender } = await withLog()
  const log = appender()
  for (let wait = 0; wait < 20; wait++) {
    await log.append(collectionId, remove(`first-${wait}`))
    await ticks(wait)
    expect(slotOf((await log.append(collectionId, remove(`second-${wait}`))).revision)).toBe(
      2 * wait + 2
    )
  }
  expect(await opIds()).toHaveLength(40)
})

test('the end of a long log is found in a few reads, and never by a list', async () => {
  const { store, collectionId, appender } = await withLog()
  for (let i = 0; i < 300; i++) await appender().append(collectionId, remove(`before-${i}`))
  let reads = 0
  const counting = <A extends unknown[], T>(read: (...args: A) => T) => {
    return (...args: A): T => {
      reads++
      return read(...args)
    }
  }
  const log = appender({
    get: counting(store.get),
    head: counting(store.head),
    list: () => {
      throw new Error('the log was listed')
    }
  })
  expect(await log.tail(collectionId)).toBe(300)
  expect((await log.append(collectionId, remove('one'))).slot).toBe(301)
  expect(reads).toBeLessThan(30)
  for (let i = 0; i < 300; i++) await appender().append(collectionId, remove(`meanwhile-${i}`))
  reads = 0
  expect((await log.append(collectionId, remove('two'))).slot).toBe(602)
  expect(reads).toBeLessThan(40)
})

test('whatever the length of the log, the end is its newest slot', async () => {
  const { collectionId, appender } = await withLog()
  const writer = appender()
  for (let slot = 0; slot < 40; slot++) {
    expect(await appender().tail(collectionId)).toBe(slot)
    await writer.append(collectionId, remove(`at-${slot}`))
  }
})

test('a full backlog takes no new ingestion until it has drained, and never without a look at it', async () => {
  const { store, clock, collectionId } = await withLog()
  let nowMs = 0
  const log = createLogAppender({ store, clock: { ...clock, nowMs: () => nowMs } })
  const key = collectionKeys(collectionId).current
  const setOpen = async (jobs: number, bytes?: number): Promise<void> => {
    const { current } = (await readCurrent(store, key))!
    await store.put(key, encodeCurrent(withState(current, { open: { jobs, items: jobs, bytes } })))
  }
  await setOpen(maxOpenJobs - 1)
  await log.admit(collectionId)
  await setOpen(maxOpenJobs)
  // It is seen with the next append.
  await log.append(collectionId, remove('one'))
  await expect(log.admit(collectionId)).rejects.toMatchObject({
    code: 'backlog_full',
    retryAfterS: expect.any(Number) as number
  })
  // Other operations are taken.
  await log.append(collectionId, remove('two'))
  await setOpen(0)
  await expect(log.admit(collectionId)).rejects.toMatchObject({ code: 'backlog_full' })
  nowMs += 2_000
  await log.admit(collectionId)
  // A few uploads with long lists fill it too.
  await setOpen(1_100, maxOpenLineBytes)
  await log.append(collectionId, remove('three'))
  await expect(log.admit(collectionId)).rejects.toMatchObject({ code: 'backlog_full' })
})
