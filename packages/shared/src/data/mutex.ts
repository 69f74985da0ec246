// Runs tasks one at a time, in the order of the calls.

export interface Mutex {
  run<T>(work: () => Promise<T>): Promise<T>
}

export function createMutex(): Mutex {
  let last: Promise<unknown> = Promise.resolve()
  return {
    run<T>(work: () => Promise<T>): Promise<T> {
      const next = last.then(work, work)
      last = next.catch(() => undefined) // its own caller gets the error
      return next
    }
  }
}
