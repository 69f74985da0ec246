// Listens for the embed server and closes without cutting answers off.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface EmbedServer {
  port: number
  /** Finishes the running requests for at most `graceMs`. */
  stop(graceMs: number): Promise<void>
}

/** Rejects when the address is in use or not ours. Port 0 takes a free port. */
export async function startEmbedServer(
  app: RequestListener,
  { host, port }: { host: string; port: number }
): Promise<EmbedServer> {
  const server = createServer(
    { requestTimeout: 120_000, headersTimeout: 20_000, keepAliveTimeout: 65_000 },
    app
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return {
    port: (server.address() as AddressInfo).port,
    async stop(graceMs) {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()))
      server.closeIdleConnections()
      const timer = setTimeout(() => server.closeAllConnections(), graceMs)
      await closed
      clearTimeout(timer)
    }
  }
}
