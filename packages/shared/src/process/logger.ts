// The pino logger, made once per process and passed in.
import { type Logger, pino } from 'pino'
import { createLogStream, type LogStream } from './log-stream.ts'

export type { Logger }

/** Most time that the end of a process waits for its last log lines. */
const flushWithinMs = 500

export function createLogger({
  app,
  level,
  stream = createLogStream({ app, fd: 1 })
}: {
  app: string
  level: string
  stream?: LogStream
}): Logger {
  return pino(
    { level, base: { app, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime },
    stream
  )
}

/** Resolves when the lines so far are written or dropped, and after half a second at the latest. */
export async function flushLogs(logger: Logger): Promise<void> {
  await new Promise<void>((resolve) => {
    setTimeout(resolve, flushWithinMs).unref()
    logger.flush(() => resolve())
  })
}

/** A logger without output, for tests and for one-shot commands that have their own output. */
export const silentLogger = (): Logger => pino({ level: 'silent' })
