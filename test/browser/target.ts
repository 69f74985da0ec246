// What the page test is pointed at: the whole system as real processes, with the smallest model.
import { startLiveStack } from '../support/live-stack.ts'

export interface Target {
  /** Origin without a trailing slash. */
  url: string
  stop(): Promise<void>
}

/** apiKey: the server asks for it; absent: open. `slowItems`: ids that take two seconds each to embed, so that progress can be watched. */
export async function startTarget({
  apiKey,
  slowItems = []
}: {
  apiKey?: string
  slowItems?: readonly string[]
} = {}): Promise<Target> {
  const hooks = { delayOnIdMs: Object.fromEntries(slowItems.map((id) => [id, 2_000])) }
  const live = await startLiveStack({
    hooks,
    ...(apiKey === undefined ? {} : { appEnv: { api: { API_KEY: apiKey } } })
  })
  return { url: live.stack.apiUrl, stop: () => live.stop() }
}
