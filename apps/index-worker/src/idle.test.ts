import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { countIdleRequests } from './testing/idle-collections.ts'

const minute = 60_000

test('idle collections cost no listing, no write, and a read each in two minutes', async () => {
  const { get, put, list } = await countIdleRequests({
    collections: 20,
    fromMs: 30 * minute,
    forMs: 10 * minute,
    dir: temporaryFolder('idle')
  })
  expect({ put, list }).toEqual({ put: 0, list: 0 })
  expect(get).toBeLessThanOrEqual(20 * 5)
  expect(get).toBeGreaterThanOrEqual(20 * 4)
})
