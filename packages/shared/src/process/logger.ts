// The pino logger, made once per process and passed in.
import { type Logger, pino } from 'pino'

export type { Logger }

export function createLogger({ app, level }: { app: string; level: string }): Logger {
  return pino({ level, base: { app, pid: process.pid }, timestamp: pino.stdTimeFunctions.isoTime })
}

/** A logger without output, for tests and for one-shot commands that have their own output. */
export const silentLogger = (): Logger => pino({ level: 'silent' })
