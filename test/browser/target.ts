// What the page test is pointed at. Anything that serves the page and answers the HTTP contract will do.
import { startFakeApi } from './fake-api.ts'

export interface Target {
  /** Origin without a trailing slash. */
  url: string
  /** Whether jobs take long enough here for several looks at their progress. */
  slowJobs: boolean
  stop(): Promise<void>
}

/** apiKey: the server asks for it; absent: open. */
export async function startTarget(options: { apiKey?: string } = {}): Promise<Target> {
  const { url, stop } = await startFakeApi(options)
  return { url, slowJobs: true, stop }
}
