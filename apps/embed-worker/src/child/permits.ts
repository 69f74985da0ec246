// A counting permit, for bounding how many pictures a process holds decoded.

export interface Semaphore {
  /** Resolves with the function that gives the permit back. `urgent` goes before those that wait already. */
  take(urgent: boolean): Promise<() => void>
}

export function createSemaphore(count: number): Semaphore {
  let free = count
  const urgentWaiting: (() => void)[] = []
  const waiting: (() => void)[] = []
  function giveBack(): void {
    const next = urgentWaiting.shift() ?? waiting.shift()
    if (next === undefined) free += 1
    else next()
  }
  return {
    async take(urgent) {
      if (free > 0) free -= 1
      else
        await new Promise<void>((resolve) => void (urgent ? urgentWaiting : waiting).push(resolve))
      let given = false
      return () => {
        if (!given) giveBack()
        given = true
      }
    }
  }
}
