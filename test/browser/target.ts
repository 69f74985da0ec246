// What the page test is pointed at: the whole system as real processes, with the smallest model.
import { startLiveStack } from '../support/live-stack.ts'

export interface Target {
  /** Origin without a trailing slash. */
  url: string
  stop(): Promise<void>
}

/**
 * `apiKey`: the server asks for it; absent: open. `holdOnPrefix`: pictures that wait at a gate, so
 * that progress can be watched.
 */
export async function startTarget({
  apiKey,
  holdOnPrefix = {}
}: {
  apiKey?: string
  holdOnPrefix?: Record<string, string>
} = {}): Promise<Target> {
  const live = await startLiveStack({
    hooks: { holdOnPrefix },
    ...(apiKey === undefined ? {} : { appEnv: { api: { API_KEY: apiKey } } })
  })
  return { url: live.stack.apiUrl, stop: () => live.stop() }
}
