// A counting semaphore. Limits the number of running tasks, or of things that a process holds.

export interface Semaphore {
  /**
   * Resolves with the function that gives the permit back. `urgent` calls go before all waiting
   * calls that are not urgent.
   */
  take(urgent?: boolean): Promise<() => void>
  /** Runs a task with a permit, in the order of the calls. */
  run<T>(task: () => Promise<T>): Promise<T>
}

export function createSemaphore(permits: number): Semaphore {
  let free = permits
  const urgentWaiting: (() => void)[] = []
  const waiting: (() => void)[] = []
  function giveBack(): void {
    const next = urgentWaiting.shift() ?? waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  async function take(urgent = false): Promise<() => void> {
    if (free > 0) free -= 1
    else await new Promise<void>((go) => void (urgent ? urgentWaiting : waiting).push(go))
    let isBack = false
    return () => {
      if (!isBack) giveBack()
      isBack = true
    }
  }
  return {
    take,
    async run(task) {
      const release = await take()
      try {
        return await task()
      } finally {
        release()
      }
    }
  }
}
