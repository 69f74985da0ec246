// The child's side of the protocol: takes tasks, records started tasks, reports results, and drops
// cancelled tasks.
import { isAppError } from '@likeness/shared/errors'
import type { FromChild, ToChild } from '../child-protocol.ts'
import type { PriorityMutex } from '../priority-mutex.ts'
import type { RunTask } from './run-task.ts'

export interface ServeTasksDeps {
  runTask: RunTask
  gate: PriorityMutex
  send: (message: FromChild) => void
  /**
   * Records a started task; the record is written when the call returns. From then on, the task's
   * picture may kill the process.
   */
  touch: (id: number) => void
  /** The process can no longer be trusted with pictures. */
  onBroken: (error: unknown) => void
}

class Cancelled extends Error {}

/** Returns the handler of the supervisor's messages, except `close`. */
export function createTaskServer({ runTask, gate, send, touch, onBroken }: ServeTasksDeps) {
  const expectations = new Map<number, () => void>()
  const cancelled = new Set<number>()
  const open = new Set<number>()

  function endExpectation(id: number): void {
    expectations.get(id)?.()
    expectations.delete(id)
  }

  async function run({ id, task, priority }: Extract<ToChild, { type: 'task' }>): Promise<void> {
    const checkCancelled = () => {
      if (cancelled.has(id)) throw new Cancelled()
    }
    try {
      checkCancelled()
      const result = await runTask(task, { priority, checkCancelled, touch: () => touch(id) })
      send({ type: 'done', id, result })
    } catch (error) {
      if (error instanceof Cancelled) send({ type: 'dropped', id })
      else if (isAppError(error))
        send({ type: 'failed', id, code: error.code, message: error.message })
      else onBroken(error)
    } finally {
      open.delete(id)
      cancelled.delete(id)
      endExpectation(id)
    }
  }

  return (message: ToChild): void => {
    switch (message.type) {
      case 'expect':
        open.add(message.id)
        expectations.set(message.id, gate.expect())
        return
      case 'task':
        open.add(message.id)
        void run(message)
        return
      case 'cancel':
        if (open.has(message.id)) cancelled.add(message.id)
        return
      case 'close':
        return
    }
  }
}
