import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { countIdleRequests } from './testing/idle-collections.ts'

const minute = 60_000

test('a hundred idle collections cost no listing, no write, and a read each in two minutes', async () => {
  const { get, put, list } = await countIdleRequests({
    collections: 100,
    fromMs: 30 * minute,
    forMs: 10 * minute,
    dir: temporaryFolder('idle')
  })
  expect({ put, list }).toEqual({ put: 0, list: 0 })
  expect(get).toBeLessThanOrEqual(100 * 5)
  expect(get).toBeGreaterThanOrEqual(100 * 4)
})
