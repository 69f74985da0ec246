// Tests what an index-worker tells about collections that it cannot own.
import { expect, test } from 'vitest'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { appError } from '@likeness/shared/errors'
import { silentLogger } from '@likeness/shared/process/logger'
import { createTroubles } from '@likeness/shared/process/troubles'
import { createCollections } from './collections.ts'
import { repeat } from './repeat.ts'

function rig() {
  let nowMs = 0
  const clock = { nowMs: () => nowMs, sleep: async () => undefined }
  const troubles = createTroubles({ clock, logger: silentLogger() })
  const live = new Set(['a', 'b'])
  const world = {
    live,
    troubles,
    /** What happens to the owner of a collection; absent: it works until it is stopped. */
    failures: new Map<string, Error>(),
    /** Number of calls that say that the catalogue changed. */
    changes: 0,
    leaseOf: async (_: string): Promise<boolean> => true,
    at: (ms: number) => void (nowMs = ms)
  }
  const assignments = createCollections({
    workerId: 'me',
    leaseMs: 10_000,
    catalog: {
      read: async () => ({
        live: [...live].map((collectionId) => ({ collectionId }) as CollectionSpec),
        damaged: []
      }),
      changed: () => void world.changes++,
      listed: (id) => (live.has(id) ? ({ collectionId: id } as CollectionSpec) : undefined)
    },
    leases: {
      hold: (id) => world.leaseOf(id),
      holder: async () => 'nobody',
      give: async () => false,
      release: async () => undefined
    },
    table: {
      exchange: async () => ({ others: [], isKnown: true }),
      leave: async () => undefined
    },
    read: async () => undefined,
    notify: () => undefined,
    clock,
    logger: silentLogger(),
    troubles,
    own: async (id, { signal }) => {
      const failure = world.failures.get(id)
      if (failure !== undefined) throw failure
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    }
  })
  return { ...world, world, assignments }
}
const settled = () => new Promise((resolve) => setImmediate(resolve))

test('a collection whose owner fails is told until another worker has it or it is dropped; others are owned', async () => {
  const { assignments, troubles, failures, live, world, at } = rig()
  failures.set('a', appError('data_corrupt', 'seg/x is damaged'))
  await assignments.review()
  await settled()
  const told = { code: 'data_corrupt', detail: 'seg/x is damaged', collectionId: 'a', stands: true }
  expect(troubles.list()).toMatchObject([told])
  at(60_000)
  await assignments.review()
  await settled()
  expect(troubles.list()).toMatchObject([{ ...told, sinceMs: 0 }])
  world.leaseOf = async (id) => id === 'b'
  at(120_000)
  await assignments.review()
  expect(troubles.list()).toEqual([])
  world.leaseOf = async () => true
  at(180_000)
  await assignments.review()
  await settled()
  expect(troubles.list()).toHaveLength(1)
  live.delete('a')
  await assignments.review()
  expect(troubles.list()).toEqual([])
  await assignments.close()
})

test('a disk without room is told by its reason, also when the addon met it', async () => {
  const { assignments, troubles, failures } = rig()
  failures.set('a', new Error('cannot write /x: No space left on device'))
  await assignments.review()
  await settled()
  expect(troubles.list()).toMatchObject([
    { code: 'store_unavailable', detail: expect.stringContaining('make room') as string }
  ])
  await assignments.close()
})

test('a Redis that gives no lease is told while a collection waits for one; an owned one goes on', async () => {
  const { assignments, troubles, world, live } = rig()
  live.delete('b')
  await assignments.review()
  world.leaseOf = async () => Promise.reject(new Error('MISCONF Errors writing to the AOF file'))
  await assignments.review()
  expect(troubles.list()).toEqual([])
  live.add('b')
  await assignments.review()
  expect(troubles.list()).toMatchObject([
    { code: 'queue_unavailable', detail: expect.stringContaining('MISCONF') as string }
  ])
  world.leaseOf = async () => true
  await assignments.review()
  expect(troubles.list()).toEqual([])
  await assignments.close()
})

test('a turn that fails again and again is a trouble until a turn goes well', async () => {
  const { troubles } = rig()
  let fails = true
  const stop = repeat({ name: 'the sweep', everyMs: 1, troubles }, async () => {
    if (fails) throw new Error('away')
  })
  await expect.poll(() => troubles.list()).toMatchObject([{ code: 'internal', detail: 'away' }])
  fails = false
  await expect.poll(() => troubles.list()).toEqual([])
  await stop()
})
