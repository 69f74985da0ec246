// A task on its way through the supervisor, and the ways in which a task can end.
import type { ChildResult, ChildTask, Priority } from '../child-protocol.ts'

export type TaskOutcome =
  | { type: 'done'; result: ChildResult }
  | { type: 'failed'; code: string; message: string }
  /**
   * The child died while this picture was in flight. `sole`: the child never had another picture.
   */
  | { type: 'died'; sole: boolean }

export interface RunOptions {
  priority: Priority
  /** Rejects with the signal's reason. A task whose inference has not begun is dropped. */
  signal?: AbortSignal | undefined
  /** Awaited before the task is sent to a child. Must not reject. */
  beforeSend?: (() => Promise<void>) | undefined
}

export interface PendingTask extends RunOptions {
  readonly task: ChildTask
  isResolved: boolean
  resolve(outcome: TaskOutcome): void
  reject(error: unknown): void
  /** Set by the current holder of the task: called when the task is aborted. */
  onAbort: () => void
}

export function createPendingTask(
  task: ChildTask,
  options: RunOptions
): { pending: PendingTask; outcome: Promise<TaskOutcome> } {
  let pending!: PendingTask
  const outcome = new Promise<TaskOutcome>((resolve, reject) => {
    const finish = (): boolean => {
      if (pending.isResolved) return false
      pending.isResolved = true
      options.signal?.removeEventListener('abort', abort)
      return true
    }
    const abort = (): void => {
      if (!finish()) return
      pending.onAbort()
      reject(options.signal!.reason as Error)
    }
    pending = {
      ...options,
      task,
      isResolved: false,
      onAbort: () => {},
      resolve: (value) => void (finish() && resolve(value)),
      reject: (error) => void (finish() && reject(error as Error))
    }
    if (options.signal?.aborted) abort()
    else options.signal?.addEventListener('abort', abort)
  })
  return { pending, outcome }
}
