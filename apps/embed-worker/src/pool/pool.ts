// The inference children and their scheduler: interactive before small before bulk.
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ChildModel, ChildTask, Priority } from '../child-protocol.ts'
import type { Child, StartChild } from './child-handle.ts'
import { createInFlightTasks, type InFlightTasks } from './in-flight-tasks.ts'
import { keepAlive } from './keep-alive.ts'
import { createPendingTask, type PendingTask, type RunOptions, type TaskOutcome } from './task.ts'

export interface PoolDeps {
  startChild: StartChild
  processes: number
  logger: Logger
}
export interface Pool {
  /**
   * Runs a task in a child; rejects when its signal aborts or the pool stops. When a child dies
   * before the task is started, the task runs in another child.
   */
  run(task: ChildTask, options: RunOptions): Promise<TaskOutcome>
  /** Model of the first child that loaded. */
  readonly model: ChildModel
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/**
 * Gallery tasks that a child gets ahead. Two wait to be projected with a third, the next runs,
 * another is decoded, and the rest are read while `session.run` blocks the child's loop.
 */
const galleryAhead = 8
/**
 * Number of bulk tasks handed out together. They share a single Redis record; work done here
 * between two inferences evicts the CPU cache.
 */
const bulkTogether = 3

/**
 * Resolves once every child is loaded. Rejects with the reason when the first child cannot load.
 */
export async function startPool({ startChild, processes, logger }: PoolDeps): Promise<Pool> {
  const queues: Record<Priority, PendingTask[]> = { interactive: [], small: [], bulk: [] }
  const crew = new Set<InFlightTasks>()
  let stopping = false

  function leastBusy(priorities: Priority[], limit: number): InFlightTasks | undefined {
    const [first] = [...crew]
      .filter(({ alive }) => alive)
      .map((hands) => ({
        hands,
        load: hands.count(...priorities),
        all: hands.count('interactive', 'small', 'bulk')
      }))
      .filter(({ load }) => load < limit)
      .sort((a, b) => a.load - b.load || a.all - b.all)
    return first?.hands
  }
  function giveWhile(
    priority: Priority,
    together: number,
    find: () => InFlightTasks | undefined
  ): void {
    for (let hands = find(); hands !== undefined && queues[priority].length > 0; hands = find()) {
      for (const pending of queues[priority].splice(0, together)) hands.give(pending)
    }
  }
  function dispatch(): void {
    giveWhile('interactive', 1, () => leastBusy(['interactive'], Infinity))
    giveWhile('small', 1, () => leastBusy(['small'], galleryAhead))
    giveWhile('bulk', bulkTogether, () =>
      leastBusy(['small', 'bulk'], galleryAhead - bulkTogether + 1)
    )
  }
  function enqueue(pending: PendingTask, first: boolean): void {
    if (stopping) return pending.reject(appError('shutting_down', 'the embed-worker is stopping'))
    const queue = queues[pending.priority]
    if (first) queue.unshift(pending)
    else queue.push(pending)
    pending.onAbort = () =>
      void (queue.includes(pending) && queue.splice(queue.indexOf(pending), 1))
  }
  async function attend(child: Child): Promise<boolean> {
    const onReturned = (pending: PendingTask): void => {
      enqueue(pending, true)
      dispatch()
    }
    const hands = createInFlightTasks({ child, onFree: dispatch, onReturned })
    crew.add(hands)
    void child.gone.then(() => crew.delete(hands))
    dispatch()
    await child.gone
    return hands.worked
  }

  const seat = () => keepAlive({ startChild, attend, logger })
  // The first child prepares the model for all.
  const seats = [seat()]
  const model = await seats[0]!.loaded
  seats.push(...Array.from({ length: processes - 1 }, seat))
  await Promise.all(seats.map(({ loaded }) => loaded))
  return {
    model,
    get pids() {
      return [...crew].map((hands) => hands.child.pid)
    },
    run(task, options) {
      const { pending, outcome } = createPendingTask(task, options)
      if (!pending.isResolved) {
        enqueue(pending, false)
        dispatch()
      }
      return outcome
    },
    async stop() {
      stopping = true
      for (const queue of Object.values(queues))
        for (const pending of queue.splice(0))
          pending.reject(appError('shutting_down', 'the embed-worker is stopping'))
      await Promise.all(seats.map((one) => one.stop()))
    }
  }
}
