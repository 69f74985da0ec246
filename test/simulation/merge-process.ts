// Merge processes, one for each merge. A process may stall, die, or continue to write after the end
// of the writer that started it.
import { buildMerge, type BuildMerge } from '@likeness/engine/testing/internals'
import { appError } from '@likeness/shared/errors'
import type { SimProcess } from './sim-process.ts'
import type { World } from './world.ts'

/** Silence after which the writer treats the process as dead. */
const silenceMs = 5_000

export function createMergeProcesses(world: World, owner: SimProcess): BuildMerge {
  return (task) =>
    new Promise((resolve, reject) => {
      const { random, scheduler, happened } = world
      const { process, files } = world.startMachine(`${owner.name}-merge`)
      if (world.faults.on && random.chance(0.2))
        process.setFuse(
          random.below(40),
          random.chance(0.5) ? Infinity : random.between(300, 9_000)
        )
      if (task.plan.way === 'lists') happened.movedLists++
      if (task.plan.way === 'clone') happened.grownGraphs++
      const answer = (say: () => void): void => scheduler.at(0, () => owner.deliver(say))
      buildMerge(files, task).then(
        (result) => answer(() => resolve(result)),
        (error: unknown) => answer(() => reject(error))
      )
      void owner.clock
        .sleep(silenceMs)
        .then(() => reject(appError('index_failed', 'the merge process does not answer')))
    })
}
