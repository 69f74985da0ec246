// Start, stop and exit of a process. Started parts are stopped in reverse order within one
// deadline, even when one of them fails. A second signal exits at once.
import { flushLogs, type Logger } from './logger.ts'
import { onParentGone } from './parent.ts'

export interface Lifecycle {
  /** Registers the undo of a part that was just started. */
  onStop(name: string, stop: () => Promise<void> | void): void
  /** Runs every undo, newest first. Resolves with the names that failed. */
  stop(): Promise<string[]>
}

export function createLifecycle({ logger }: { logger: Logger }): Lifecycle {
  const undos: { name: string; stop: () => Promise<void> | void }[] = []
  let stopping: Promise<string[]> | undefined
  async function stopAll(): Promise<string[]> {
    const failed: string[] = []
    for (let undo = undos.pop(); undo !== undefined; undo = undos.pop()) {
      try {
        await undo.stop()
      } catch (error) {
        failed.push(undo.name)
        logger.error({ err: error, part: undo.name }, 'stopping failed')
      }
    }
    return failed
  }
  return {
    onStop: (name, stop) => void undos.push({ name, stop }),
    stop: () => (stopping ??= stopAll())
  }
}

/**
 * Runs a process. `start` builds everything and registers undos. SIGTERM, SIGINT, a lost parent
 * (IPC channel closed) or an uncaught error stop the process. Exit code 0 after a clean stop, 1
 * after an error or a stop past the deadline.
 */
export async function runProcess({
  logger,
  start,
  deadlineMs
}: {
  logger: Logger
  start: (lifecycle: Lifecycle) => Promise<void>
  deadlineMs: number
}): Promise<void> {
  const lifecycle = createLifecycle({ logger })
  let exiting = false
  const exit = (code: number, reason: string): void => {
    if (exiting) process.exit(1)
    exiting = true
    logger.info({ reason }, 'stopping')
    setTimeout(() => {
      logger.error({ deadlineMs }, 'stopping took too long')
      process.exit(1)
    }, deadlineMs).unref()
    void lifecycle
      .stop()
      .then((failed) => flushLogs(logger).then(() => process.exit(failed.length > 0 ? 1 : code)))
  }
  process.on('SIGTERM', () => exit(0, 'SIGTERM'))
  process.on('SIGINT', () => exit(0, 'SIGINT'))
  onParentGone(() => exit(0, 'parent is gone'))
  process.on('uncaughtException', (error) => {
    logger.fatal({ err: error }, 'uncaught error')
    exit(1, 'uncaught error')
  })
  process.on('unhandledRejection', (error) => {
    logger.fatal({ err: error }, 'unhandled rejection')
    exit(1, 'unhandled rejection')
  })
  try {
    await start(lifecycle)
  } catch (error) {
    logger.fatal({ err: error }, 'start failed')
    exit(1, 'start failed')
  }
}
