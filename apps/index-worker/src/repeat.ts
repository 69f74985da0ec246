// Work that repeats: one turn after the other, with a pause between them.
import type { Troubles } from '@likeness/shared/process/troubles'

export interface Repeated {
  /** For the log: what a turn does. */
  name: string
  everyMs: number
  troubles: Pick<Troubles, 'report' | 'end'>
}

/**
 * Calls `work` at once, and again `everyMs` after each end. A failed turn is a trouble until a turn
 * goes well. Returns a function that stops the turns, and waits for the last one.
 */
export function repeat(
  { name, everyMs, troubles }: Repeated,
  work: () => Promise<void>
): () => Promise<void> {
  const key = `turn ${name}`
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  const turn = async (): Promise<void> => {
    await work().then(
      () => troubles.end(key),
      (error: unknown) => {
        if (!stopped) troubles.report(key, { error, message: `${name} failed, trying again` })
      }
    )
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
