// Merge processes: each merge is built by one of its own, which stands still, dies, or outlives the owner that started it and goes on writing.
import { buildMerge, type BuildMerge } from '@likeness/engine/testing/internals'
import { appError } from '@likeness/shared/errors'
import type { SimProcess } from './sim-process.ts'
import type { World } from './world.ts'

/** After which the owner takes it for dead. */
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
