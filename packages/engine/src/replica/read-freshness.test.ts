// Tests what a reader gets when a new version cannot be loaded.
import { expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import type { ReadOptions } from '../contract.ts'
import type { CollectionReplica } from './collection-replica.ts'
import { readFreshEnough } from './read-freshness.ts'

const reader = { seq: 3, appliedSlot: 3, retain: () => reader }
const read = (options: Partial<ReadOptions>, failure: Error, current: object | null = reader) =>
  readFreshEnough(
    { clock: { nowMs: () => 1e9, sleep: () => new Promise(() => undefined) }, pollMs: 1 },
    {
      current: current ?? undefined,
      checkedAtMs: 0,
      refresh: () => Promise.reject(failure)
    } as unknown as CollectionReplica,
    { consistency: 'bounded', timeoutMs: 1, ...options } as ReadOptions,
    1e9 + 1
  )
const full = Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' })

test('without room on its own disk a replica serves the last version to bounded reads, and to no others', async () => {
  expect(await read({}, full)).toBe(reader)
  await expect(read({ consistency: 'strong' }, full)).rejects.toBe(full)
  await expect(read({}, full, null)).rejects.toBe(full)
})

test('a store that fails does not make an old version new', async () => {
  const away = appError('store_unavailable', 'away', { cause: full })
  await expect(read({}, away)).rejects.toBe(away)
})
