// The in-flight tasks of a child: sends tasks, and ends them from the child's messages. After a
// crash, the started tasks are the suspects and the others are bystanders.
import type { FromChild, Priority } from '../child-protocol.ts'
import type { StartedTasks } from '../started-tasks-file.ts'
import type { Child } from './child-handle.ts'
import type { PendingTask } from './task.ts'

export interface InFlightTasks {
  readonly child: Child
  /** No task may be given once this is false. */
  readonly alive: boolean
  /** True when the child has finished a task. */
  readonly worked: boolean
  /** Counts tasks of these priorities that the child has or is about to get. */
  count(...priorities: Priority[]): number
  give(pending: PendingTask): void
}

export interface InFlightTasksDeps {
  child: Child
  /** Called when room has become free. */
  onFree: () => void
  /** Called for a task that was not started when the child died. */
  onReturned: (pending: PendingTask) => void
}

export function createInFlightTasks({
  child,
  onFree,
  onReturned
}: InFlightTasksDeps): InFlightTasks {
  const held = new Map<number, PendingTask>()
  let nextId = 1
  let dead = false
  let worked = false

  function hear(message: FromChild): void {
    if (!('id' in message)) return
    const pending = held.get(message.id)
    if (pending === undefined) return
    held.delete(message.id)
    worked = true
    if (message.type === 'done') pending.resolve({ type: 'done', result: message.result })
    if (message.type === 'failed')
      pending.resolve({ type: 'failed', code: message.code, message: message.message })
    onFree()
  }

  function die(touches: StartedTasks): void {
    dead = true
    const left = [...held]
    held.clear()
    for (const [id, pending] of left) {
      if (pending.isResolved) continue
      if (touches.ids.has(id)) pending.resolve({ type: 'died', sole: touches.count === 1 })
      else onReturned(pending)
    }
  }

  async function send(id: number, pending: PendingTask): Promise<void> {
    await pending.beforeSend?.()
    if (dead) return
    if (pending.isResolved) {
      held.delete(id)
      onFree()
      return
    }
    if (pending.priority === 'interactive') child.send({ type: 'expect', id })
    pending.onAbort = () => child.send({ type: 'cancel', id })
    child.send({ type: 'task', id, priority: pending.priority, task: pending.task })
  }

  child.listen(hear)
  void child.gone.then(die)
  return {
    child,
    get alive() {
      return !dead
    },
    get worked() {
      return worked
    },
    count: (...priorities) =>
      [...held.values()].filter(({ priority }) => priorities.includes(priority)).length,
    give(pending) {
      const id = nextId++
      held.set(id, pending)
      pending.onAbort = () => {}
      void send(id, pending)
    }
  }
}
