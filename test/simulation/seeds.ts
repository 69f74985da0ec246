// Chooses the seeds to run, and prints a failed seed. SIMULATION_SEEDS: number of seeds (1000);
// SIM_FIRST_SEED: first seed (1); SIM_TRACE=1 prints every event.
import { z } from 'zod'
import { type Outcome, simulate } from './simulate.ts'

export const seedSettings = z
  .object({
    SIMULATION_SEEDS: z.coerce.number().int().min(1).default(1000),
    SIM_FIRST_SEED: z.coerce.number().int().min(0).default(1),
    SIM_TRACE: z.string().optional()
  })
  .parse(process.env)

/** Returns half of the seeds, 0 or 1. Two files share the seeds, so that two workers can run. */
export function seedsOf(half: 0 | 1): number[] {
  const { SIMULATION_SEEDS, SIM_FIRST_SEED } = seedSettings
  return Array.from({ length: SIMULATION_SEEDS }, (_, i) => SIM_FIRST_SEED + i).filter(
    (_, i) => i % 2 === half
  )
}

export const replayCommand = (seed: number): string =>
  `SIM_FIRST_SEED=${seed} SIMULATION_SEEDS=1 SIM_TRACE=1 npx vitest run --project simulation test/simulation/seeds`

export const describeViolation = ({ seed, violation }: Outcome): string =>
  `seed ${seed} breaks "${violation?.message}"\n  again: ${replayCommand(seed)}`

const progressEvery = 500

export async function runSeeds(seeds: readonly number[]): Promise<Outcome[]> {
  const outcomes: Outcome[] = []
  const onTrace =
    seedSettings.SIM_TRACE === undefined ? undefined : (line: string) => console.log(line)
  for (const [i, seed] of seeds.entries()) {
    const outcome = await simulate({ seed, onTrace })
    outcomes.push(outcome)
    // Prints the violation at once, because a run may be long.
    if (outcome.violation !== undefined) console.log(describeViolation(outcome))
    if ((i + 1) % progressEvery === 0) console.log(`${i + 1} of ${seeds.length} seeds`)
  }
  return outcomes
}

export interface Totals {
  steps: number
  events: number
  happened: Record<string, number>
}

export function totalsOf(outcomes: readonly Outcome[]): Totals {
  const totals: Totals = { steps: 0, events: 0, happened: {} }
  for (const { steps, events, happened } of outcomes) {
    totals.steps += steps
    totals.events += events
    for (const [name, count] of Object.entries(happened))
      totals.happened[name] = (totals.happened[name] ?? 0) + count
  }
  return totals
}
