// An API process that takes operations like the real API (tail, append, job record) and
// answers about jobs.
import type { Jobs, LogAppender } from '@likeness/engine/contract'
import { createJobs, createLogAppender } from '@likeness/engine/testing/internals'
import type { Operation } from '@likeness/shared/contract/operation'
import type { Machine, World } from './world.ts'

export interface Appended {
  revision: number
  slot: number
}

export interface ApiProcess extends Machine {
  jobs: Jobs
  appender: LogAppender
  /**
   * Answers after the operation is durable. An earlier attempt may have landed after `tailSlot`;
   * undefined: there is only this attempt.
   */
  accept(
    collectionId: string,
    operation: Operation,
    tailSlot: number | undefined
  ): Promise<Appended>
}

export function startApiProcess(world: World, name: string): ApiProcess {
  const machine = world.startMachine(name)
  const { store, process } = machine
  const { clock } = process
  const appender = createLogAppender({ store, clock, rules: world.protocol })
  const jobs = createJobs({ store })
  return {
    ...machine,
    jobs,
    appender,
    accept: (collectionId, operation, tailSlot) =>
      appender.append(collectionId, operation, { afterSlot: tailSlot })
  }
}

/** Where all is folded, one process is asked early and late: it knows an old end of the log. */
export function pickApi(
  { settings, steps, random }: World,
  apis: readonly ApiProcess[]
): ApiProcess {
  if (!settings.foldsAll) return random.pick(apis)
  const isIts = steps < 15 || (steps > 110 && random.chance(0.5))
  return isIts ? apis.at(-1)! : random.pick(apis.slice(0, -1))
}
