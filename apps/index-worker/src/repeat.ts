// Work that repeats: one turn after the other, with a pause between them.
import type { Logger } from '@likeness/shared/process/logger'

/** Calls `work` at once, and again `everyMs` after each end. Returns a function that stops it. */
export function repeat(
  everyMs: number,
  logger: Logger,
  work: () => Promise<void>
): () => Promise<void> {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const turn = async (): Promise<void> => {
    await work().catch((error: unknown) => logger.warn({ err: error }, 'turn failed'))
    if (!stopped) {
      timer = setTimeout(() => {
        running = turn()
      }, everyMs)
    }
  }
  let running = turn()
  return async () => {
    stopped = true
    clearTimeout(timer)
    await running
  }
}
