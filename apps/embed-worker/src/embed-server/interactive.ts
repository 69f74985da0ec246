// Runs a user's picture through the pool: within its deadline, and never ended by another picture's
// crash.
import { appError, isErrorCode } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type {
  ChildResult,
  CompareTask,
  QueryTask,
  RankTask,
  ThumbnailTask
} from '../child-protocol.ts'
import type { RunOptions, TaskOutcome } from '../pool/task.ts'

type InteractiveTask = QueryTask | CompareTask | RankTask | ThumbnailTask
export interface InteractiveDeps {
  pool: { run(task: InteractiveTask, options: RunOptions): Promise<TaskOutcome> }
  isolation: { run(task: InteractiveTask, options: RunOptions): Promise<TaskOutcome> }
  logger: Logger
}

/**
 * Rejects with `image_kills_worker`, the errors of decoding, or the signal's reason.
 */
export function createInteractive({ pool, isolation, logger }: InteractiveDeps) {
  async function run(task: InteractiveTask, signal: AbortSignal): Promise<ChildResult> {
    let outcome = await pool.run(task, { priority: 'interactive', signal })
    // Among other pictures, this picture is only suspect. Alone in a fresh process, it is the
    // cause.
    while (outcome.type === 'died') {
      logger.warn('an inference process died over a query, it is tried alone')
      outcome = await isolation.run(task, { priority: 'interactive', signal })
      if (outcome.type === 'died' && outcome.sole)
        throw appError(
          'image_kills_worker',
          'the process that decodes and embeds it died of this picture'
        )
    }
    if (outcome.type === 'done') return outcome.result
    throw appError(isErrorCode(outcome.code) ? outcome.code : 'internal', outcome.message)
  }

  return async (task: InteractiveTask, signal: AbortSignal): Promise<ChildResult> => {
    signal.throwIfAborted()
    return Promise.race([run(task, signal), rejectOnAbort(signal)])
  }
}
export type Interactive = ReturnType<typeof createInteractive>

function rejectOnAbort(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) =>
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
  )
}
