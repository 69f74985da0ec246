// Quarantine: tries suspect pictures alone, each in turn in a separate child. After a death, only a
// single picture can be the cause.
import { setTimeout as sleep } from 'node:timers/promises'
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ChildTask } from '../child-protocol.ts'
import { createPriorityMutex } from '../priority-mutex.ts'
import type { Child, StartChild } from './child-handle.ts'
import { createInFlightTasks, type InFlightTasks } from './in-flight-tasks.ts'
import { closeChild, restartDelayMs } from './keep-alive.ts'
import { createPendingTask, type RunOptions, type TaskOutcome } from './task.ts'

export interface Quarantine {
  /**
   * Like Pool.run, but with no other picture in the process at the same time. A child serves
   * several pictures in turn; `sole` is true when the child had only this picture.
   */
  run(task: ChildTask, options: RunOptions): Promise<TaskOutcome>
  stop(): Promise<void>
}

/** The child died before this task was started, so this picture is not the cause. */
class Returned extends Error {}

export function createQuarantine({
  startChild,
  logger,
  idleMs = 5_000
}: {
  startChild: StartChild
  logger: Logger
  idleMs?: number
}): Quarantine {
  const oneAtATime = createPriorityMutex({ turn: async () => {} })
  const stopped = new AbortController()
  let hands: InFlightTasks | undefined
  let idleTimer: NodeJS.Timeout | undefined

  function attend(child: Child): InFlightTasks {
    const own = createInFlightTasks({
      child,
      onFree: () => {},
      onReturned: (pending) => pending.reject(new Returned())
    })
    void child.gone.then(() => {
      if (hands === own) hands = undefined
    })
    return own
  }
  async function ensureHands(): Promise<InFlightTasks> {
    for (let failures = 0; hands === undefined; failures++) {
      stopped.signal.throwIfAborted()
      const child = await startChild().catch(
        (error: unknown) =>
          void logger.error({ err: error, failures }, 'isolated inference process did not start')
      )
      if (child) hands = attend(child)
      else await sleep(restartDelayMs(failures))
    }
    return hands
  }
  function retire(): void {
    const retired = hands
    hands = undefined
    void closeChild(retired?.child)
  }
  async function tryOnce(task: ChildTask, options: RunOptions): Promise<TaskOutcome> {
    const own = await ensureHands()
    const { pending, outcome } = createPendingTask(task, options)
    if (!pending.isResolved) own.give(pending)
    try {
      return await outcome
    } finally {
      // The task was cancelled half-way. The next picture must not meet this picture in the same
      // process.
      if (own.count('interactive', 'small', 'bulk') > 0) {
        own.child.kill()
        await own.child.gone
      }
    }
  }
  async function runAlone(task: ChildTask, options: RunOptions): Promise<TaskOutcome> {
    clearTimeout(idleTimer)
    try {
      for (let failures = 0; ; failures++) {
        stopped.signal.throwIfAborted()
        options.signal?.throwIfAborted()
        try {
          return await tryOnce(task, options)
        } catch (error) {
          if (!(error instanceof Returned)) throw error
        }
        await sleep(restartDelayMs(failures))
      }
    } finally {
      clearTimeout(idleTimer)
      idleTimer = setTimeout(retire, idleMs)
    }
  }
  return {
    run: (task, options) => oneAtATime.run(options.priority, () => runAlone(task, options)),
    async stop() {
      stopped.abort(appError('shutting_down', 'the embed-worker is stopping'))
      clearTimeout(idleTimer)
      await closeChild(hands?.child)
    }
  }
}
