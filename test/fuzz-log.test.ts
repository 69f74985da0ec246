import { expect, test } from 'vitest'
import { fuzzLog } from './fuzz/log-operations.ts'

/** `npm run fuzz` runs more, from other seeds. */
const seeds = [1, 2, 3, 4, 5, 6]

test.each(seeds)('odd operations never stop a collection, seed %i', async (seed) => {
  const { accepted, refused, old } = await fuzzLog(seed, 60)
  expect(accepted).toBeGreaterThan(5)
  expect(old).toBeGreaterThan(5)
  expect(Object.values(refused).reduce((sum, count) => sum + count, 0)).toBeGreaterThan(0)
})
