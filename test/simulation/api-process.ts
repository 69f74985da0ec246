// An API process: takes operations as the real one does (tail, append, job record, still live?) and answers about jobs.
import type { Jobs, LogAppender } from '@likeness/engine/contract'
import { createLogAppender } from '@likeness/engine/log/log-appender'
import { createJobs } from '@likeness/engine/version/jobs'
import type { Operation } from '@likeness/shared/contract/operation'
import { appError } from '@likeness/shared/errors'
import { untilStored } from '@likeness/store/retry-store'
import type { Machine, World } from './world.ts'

export interface Appended {
  revision: number
  slot: number
}

export interface ApiProcess extends Machine {
  jobs: Jobs
  appender: LogAppender
  /** Answers once the operation is durable. An earlier attempt may have landed after `tailSlot`. */
  accept(incarnation: string, operation: Operation, tailSlot: number): Promise<Appended>
}

export function startApiProcess(world: World, name: string): ApiProcess {
  const machine = world.startMachine(name)
  const { store, catalog, process } = machine
  const { clock } = process
  const appender = createLogAppender({ store, clock })
  const jobs = createJobs({ store, catalog })
  return {
    ...machine,
    jobs,
    appender,
    async accept(incarnation, operation, tailSlot) {
      const appended = await appender.append(incarnation, operation, { afterSlot: tailSlot })
      if (operation.kind === 'ingest') {
        const { ingestion, total } = operation
        const pointer = { ingestion, incarnation, collection: world.collection, total, revision: appended.revision, source: 'simulation', createdAtMs: clock.nowMs() }
        await untilStored(clock, () => jobs.record(pointer))
      }
      if (!(await untilStored(clock, () => catalog.isLive(incarnation)))) throw appError('collection_not_found', 'dropped meanwhile')
      return appended
    }
  }
}
