// Runs a single inference at a time, the most urgent first. The event loop turns between two
// inferences.
import type { Priority } from './child-protocol.ts'

export interface PriorityMutex {
  /** Runs `work` when no other work runs, and no more urgent work is waiting or expected. */
  run<T>(priority: Priority, work: () => Promise<T>): Promise<T>
  /**
   * Announces an interactive inference. Less urgent work waits until the returned function is
   * called.
   */
  expect(): () => void
}

/** `turn` resolves once messages that have arrived are delivered. */
export function createPriorityMutex({ turn }: { turn: () => Promise<void> }): PriorityMutex {
  const waiting: Record<Priority, (() => void)[]> = { interactive: [], small: [], bulk: [] }
  let busy = false
  let expected = 0

  function grantNext(): void {
    if (busy) return
    const grant =
      waiting.interactive.shift() ??
      (expected > 0 ? undefined : (waiting.small.shift() ?? waiting.bulk.shift()))
    if (grant === undefined) return
    busy = true
    grant()
  }
  async function release(): Promise<void> {
    await turn()
    busy = false
    grantNext()
  }
  return {
    async run(priority, work) {
      await new Promise<void>((resolve) => {
        waiting[priority].push(resolve)
        grantNext()
      })
      try {
        return await work()
      } finally {
        void release()
      }
    },
    expect() {
      expected += 1
      let over = false
      return () => {
        if (over) return
        over = true
        expected -= 1
        grantNext()
      }
    }
  }
}

/**
 * Waits for two turns of the loop. `session.run` blocks the loop. The first turn delivers the
 * messages that arrived meanwhile. In the second turn, a file or socket read that they started can
 * go a step further.
 */
export async function turnLoop(): Promise<void> {
  for (let i = 0; i < 2; i++) await new Promise((resolve) => setImmediate(resolve))
}
