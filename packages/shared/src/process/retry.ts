// The only retry loop. Its callers say which errors are temporary and how long to wait.

export interface RetryOptions {
  /** Whether an error is temporary. Any other error is thrown at once. */
  isRetryable: (error: unknown) => boolean
  /** Pause before the next attempt; `failures` begins at 1. undefined: the error is thrown. */
  pauseMs: (failures: number) => number | undefined
  sleep: (ms: number) => Promise<unknown>
}

/** Repeats work that may be done twice. Rejects with the last error. */
export async function retry<T>(
  work: () => Promise<T>,
  { isRetryable, pauseMs, sleep }: RetryOptions
): Promise<T> {
  for (let failures = 1; ; failures++) {
    try {
      return await work()
    } catch (error) {
      const ms = isRetryable(error) ? pauseMs(failures) : undefined
      if (ms === undefined) throw error
      await sleep(ms)
    }
  }
}
