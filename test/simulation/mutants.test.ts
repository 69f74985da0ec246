// Tests that each rule of the protocol is needed. Without the rule the seeds find a broken promise;
// with the rule the same seeds find no broken promise.
import { describe, expect, test } from 'vitest'
import { mutants } from './mutants.ts'
import { describeViolation } from './seeds.ts'
import { type Outcome, simulate } from './simulate.ts'

/** Enough seeds to meet the rarest violation several times. */
const mostSeeds = 150

async function firstCaught(
  make: () => Parameters<typeof simulate>[0]['protocol']
): Promise<Outcome | undefined> {
  for (let seed = 1; seed <= mostSeeds; seed++) {
    const outcome = await simulate({ seed, protocol: make() })
    if (outcome.violation !== undefined) return outcome
  }
  return undefined
}

describe.each(Object.entries(mutants))('the protocol with %s', (name, make) => {
  test('is caught, and the real one passes the same seed', async () => {
    const caught = await firstCaught(make)
    console.log(
      `${name}: ${caught === undefined ? `not caught in ${mostSeeds} seeds` : `seed ${caught.seed}, ${caught.violation!.message}`}`
    )
    expect(caught?.violation).toBeDefined()
    const real = await simulate({ seed: caught!.seed })
    expect(real.violation && describeViolation(real)).toBeUndefined()
  })
})
