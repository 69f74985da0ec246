// Tests the model test in small: every storage form once, a seed that repeats exactly, and the
// detection of a removed rule.
import { expect, test } from 'vitest'
import { cells, nameOf } from '@likeness/engine/testing/cells'
import { type Protocol, readCurrent, realProtocol } from '@likeness/engine/testing/internals'
import { messageOf } from '@likeness/shared/errors'
import { runCell } from './run-cell.ts'

const operations = 60

test.each(cells.map((cell, at) => [nameOf(cell), cell, at] as const))(
  '%s: random operations give what the plain model says',
  async (_, cell, at) => {
    const { recall } = await runCell({ cell, seed: 31 + at, operations })
    expect(recall).toBeGreaterThan(0.8)
  }
)

const brokenRules: Record<string, Protocol> = {
  'older operations win too': { ...realProtocol, supersedes: () => true },
  'an ordinal counts as often as it comes': { ...realProtocol, claim: () => true },
  'what a restore brings back keeps its revisions': { ...realProtocol, restoredAt: () => 0 },
  'an owner does not raise the epoch': {
    ...realProtocol,
    async becomeWriter({ store, currentKey }) {
      return await readCurrent(store, currentKey)
    }
  }
}
/** Returns the error of the first seed that finds an error. */
async function firstNoticed(protocol: Protocol): Promise<string> {
  for (let seed = 8; seed < 14; seed++) {
    try {
      await runCell({ cell: cells[0]!, seed, operations: 600, protocol })
    } catch (error) {
      return messageOf(error)
    }
  }
  return 'nothing'
}

test.each(Object.entries(brokenRules))(
  '%s: noticed',
  async (_, protocol) => {
    expect(await firstNoticed(protocol)).toMatch(/^operation \d+|^job |^the embedding /)
  },
  240_000
)

test('a seed draws the same operations again', async () => {
  const [first, again] = [
    await runCell({ cell: cells[0]!, seed: 9, operations }),
    await runCell({ cell: cells[0]!, seed: 9, operations })
  ]
  expect(again).toEqual(first)
})
