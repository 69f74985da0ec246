// Declares the test over one half of the seeds, for seeds-a.test.ts and seeds-b.test.ts.
import { expect, test } from 'vitest'
import { describeViolation, runSeeds, seedsOf, totalsOf } from './seeds.ts'
import { stepsPerSeed } from './simulate.ts'

/**
 * Number of seeds in a half from which every event kind of the simulation must have happened. The
 * rarest event happens once in 50 seeds.
 */
const enoughSeeds = 500
/** A generous limit, because long runs share their machine. */
const msPerSeed = 10_000

export function testSeeds(half: 0 | 1): void {
  const seeds = seedsOf(half)
  test.runIf(seeds.length > 0)(
    `every promise holds on ${seeds.length} seeds of ${stepsPerSeed} steps`,
    async () => {
      const startedAtMs = performance.now()
      const outcomes = await runSeeds(seeds)
      const { steps, events, happened } = totalsOf(outcomes)
      console.log(
        `${seeds.length} seeds, ${steps} steps, ${events} events in ${((performance.now() - startedAtMs) / 1000).toFixed(1)} s: ${JSON.stringify(happened)}`
      )
      expect(
        outcomes
          .filter(({ violation }) => violation !== undefined)
          .map(describeViolation)
          .join('\n')
      ).toBe('')
      expect(outcomes.filter(({ steps: taken }) => taken < stepsPerSeed)).toEqual([])
      if (seeds.length >= enoughSeeds)
        expect(Object.entries(happened).filter(([, count]) => count === 0)).toEqual([])
    },
    Math.max(900_000, seeds.length * msPerSeed)
  )
}
