// A counting semaphore: bounds how many tasks run, or how many things a process holds, at once.

export interface Semaphore {
  /** Resolves with the function that gives the permit back. `urgent` goes before those that wait already. */
  take(urgent?: boolean): Promise<() => void>
  /** Runs a task with a permit, in the order of asking. */
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
