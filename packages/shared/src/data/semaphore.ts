// A counting semaphore. Limits the number of running tasks, or the amount that a process holds.

export interface Semaphore {
  /**
   * Resolves with the function that gives the permits back. `urgent` calls go before all waiting
   * calls that are not urgent. Calls of the same kind are served in their order, large ones too.
   * `amount` is cut to the number of all permits: such a call gets all of them, alone.
   */
  take(urgent?: boolean, amount?: number): Promise<() => void>
  /** Runs a task with a permit, in the order of the calls. */
  run<T>(task: () => Promise<T>): Promise<T>
}

interface Waiting {
  amount: number
  go: () => void
}

export function createSemaphore(permits: number): Semaphore {
  let free = permits
  const urgentWaiting: Waiting[] = []
  const waiting: Waiting[] = []
  function serve(): void {
    for (;;) {
      const queue = urgentWaiting.length > 0 ? urgentWaiting : waiting
      const next = queue[0]
      if (next === undefined || next.amount > free) return
      queue.shift()
      free -= next.amount
      next.go()
    }
  }
  async function take(urgent = false, amount = 1): Promise<() => void> {
    const taken = Math.min(amount, permits)
    await new Promise<void>((go) => {
      ;(urgent ? urgentWaiting : waiting).push({ amount: taken, go })
      serve()
    })
    let isBack = false
    return () => {
      if (isBack) return
      isBack = true
      free += taken
      serve()
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
