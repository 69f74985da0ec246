// Tests what a store that fails tells about itself, with every reason that a disk or a server has.
import { Readable } from 'node:stream'
import { afterEach, expect, test } from 'vitest'
import type { Logger } from '@likeness/shared/process/logger'
import { systemClock } from '@likeness/shared/process/clock'
import { createTroubles } from '@likeness/shared/process/troubles'
import { createMemoryStore } from './memory-store.ts'
import type { ObjectStore } from './object-store.ts'
import { storeFailure } from './store-failure.ts'
import { watchStore } from './watched-store.ts'

const collection = '01M8N5ED1D5XKV3K7X81DJXSKV'
const key = `c/${collection}/log/1`
const errno = (code: string): Error => Object.assign(new Error(`${code}: it fails`), { code })

let store: ObjectStore
afterEach(() => store.close())

/** A store whose writes or reads fail while the result says so. */
function rig(failing: { read?: Error; write?: Error; only?: string }) {
  const memory = createMemoryStore()
  const said: string[] = []
  const say = (_: object, message: string) => void said.push(message)
  const troubles = createTroubles({
    clock: systemClock,
    logger: { info: say, error: say } as unknown as Logger
  })
  function check(act: 'read' | 'write', at: string): void {
    if (failing[act] !== undefined && at.includes(failing.only ?? ''))
      throw storeFailure(`${act} ${at}`, failing[act])
  }
  store = watchStore(
    {
      ...memory,
      get: async (at) => (check('read', at), await memory.get(at)),
      head: async (at) => (check('read', at), await memory.head(at)),
      put: async (at, body) => (check('write', at), await memory.put(at, body)),
      putIf: async (at, body, condition) => (
        check('write', at), await memory.putIf(at, body, condition)
      ),
      putStream: async (at, body, options) => (
        check('write', at), await memory.putStream(at, body, options)
      ),
      async *list(prefix, options) {
        check('read', prefix)
        yield* memory.list(prefix, options)
      }
    },
    { troubles, tryEveryMs: 20 }
  )
  return { memory, troubles, said }
}
const quietly = (call: Promise<unknown>) => call.catch((error: unknown) => error)

test.each([
  ['ENOSPC', /no space left on the disk/, 'no_space'],
  ['EDQUOT', /quota is used up/, 'quota_exceeded'],
  ['EROFS', /read-only/, 'read_only'],
  ['EIO', /the disk reports an error/, 'disk_error'],
  ['EMFILE', /too many open files/, 'too_many_open_files'],
  ['ECONNREFUSED', /cannot be reached/, 'unreachable'],
  ['XMinioStorageFull', /no space left on the server/, 'no_space']
])(
  '%s: all collections wait, the reason is told, and it ends by itself when there is room',
  async (code, text, reason) => {
    const failing = { write: errno(code) as Error | undefined }
    const { troubles, said, memory } = rig(failing)
    expect(await quietly(store.put(key, Buffer.from('x')))).toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(text) as string,
      detail: { reason }
    })
    for (let i = 0; i < 20; i++)
      await quietly(store.putIf(`${key}${i}`, Buffer.from('x'), { create: true }))
    expect(troubles.list()).toMatchObject([{ code: 'store_unavailable' }])
    expect(troubles.list()[0]).not.toHaveProperty('collectionId')
    expect(said).toEqual(['the object store cannot be written, trying again'])
    expect(await store.get(key)).toBeUndefined()
    failing.write = undefined
    await expect.poll(() => troubles.list()).toEqual([])
    expect(said[1]).toMatch(/^works again/)
    const left = []
    for await (const info of memory.list('')) left.push(info)
    expect(left).toEqual([])
  }
)

test.each(['AccessDenied', 'EACCES'])(
  '%s for a part of the keys is a trouble of that collection, and a write elsewhere does not end it',
  async (code) => {
    const failing = { write: errno(code) as Error | undefined, only: collection }
    const { troubles } = rig(failing)
    await quietly(store.putStream(key, Readable.from([]), { maxBytes: 1 }))
    await store.put('jobs/1', Buffer.from('x'))
    expect(troubles.list()).toMatchObject([{ collectionId: collection, stands: true }])
    failing.write = undefined
    await store.put(key, Buffer.from('x'))
    expect(troubles.list()).toEqual([])
  }
)

test('a store that is away is a trouble of reading, for listings too', async () => {
  const failing = { read: errno('ECONNREFUSED') as Error | undefined }
  const { troubles } = rig(failing)
  const listed = store.list('c/')[Symbol.asyncIterator]()
  await quietly(listed.next())
  expect(troubles.list()).toHaveLength(1)
  failing.read = undefined
  await expect.poll(() => troubles.list()).toEqual([])
})

test('a deletion and a condition that does not hold do not end a full disk', async () => {
  const failing = { write: undefined as Error | undefined, only: 'full' }
  const { troubles } = rig(failing)
  await store.put('there', Buffer.from('x'))
  failing.write = errno('ENOSPC')
  await quietly(store.put('full', Buffer.from('x')))
  failing.only = 'probe/'
  await store.delete(['nothing'])
  expect(await store.putIf('there', Buffer.from('y'), { create: true })).toBeUndefined()
  expect(troubles.list()).toHaveLength(1)
  await store.put('other', Buffer.from('x'))
  expect(troubles.list()).toEqual([])
})
