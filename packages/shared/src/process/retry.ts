// One loop for everything that is tried again: its callers say which errors pass and how long to wait.

export interface RetryOptions {
  /** An error that may pass; any other is thrown at once. */
  isRetryable: (error: unknown) => boolean
  /** Pause before the next attempt; `failures` begins at 1. undefined: the error is thrown. */
  pauseMs: (failures: number) => number | undefined
  sleep: (ms: number) => Promise<unknown>
}

/** Only for work that may be done twice. Rejects with the last error. */
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
