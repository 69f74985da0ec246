// Tests that a seed determines the whole simulation: a replay is the same, event by event.
import { expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { simulate } from './simulate.ts'

test.each([1, 17, 33, 4_711])('seed %i happens twice in the same way', async (seed) => {
  const lines: string[] = []
  const first = await simulate({ seed, onTrace: (line) => void lines.push(line) })
  const again: string[] = []
  const second = await simulate({ seed, onTrace: (line) => void again.push(line) })
  expect(second).toEqual(first)
  expect(again).toEqual(lines)
  expect(lines.length).toBeGreaterThan(300)
})

test('a failing seed fails again, at the same event', async () => {
  const protocol = mutants['acknowledge before the swap']!()
  let first = await simulate({ seed: 1, protocol })
  while (first.violation === undefined && first.seed < 50)
    first = await simulate({ seed: first.seed + 1, protocol })
  expect(first.violation).toBeDefined()
  expect(await simulate({ seed: first.seed, protocol })).toEqual(first)
})

test('other seeds are other simulations', async () => {
  const digests = await Promise.all(
    [5, 6, 7].map(async (seed) => (await simulate({ seed })).digest)
  )
  expect(new Set(digests).size).toBe(3)
})
