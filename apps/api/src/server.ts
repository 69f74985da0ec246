// The listening server: time limits against slow clients, and a stop that lets running requests
// finish.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from '@likeness/shared/process/logger'

export interface ApiServer {
  url: string
  /** Takes no new requests, waits for running requests, and cuts them off after `graceMs`. */
  stop(): Promise<void>
}

/** An upload may take long; a header may not. */
const headersTimeoutMs = 15_000
const requestTimeoutMs = 3_600_000

function listen(server: Server, host: string, port: number): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, host, () => {
      server.off('error', reject)
      resolve(server.address() as AddressInfo)
    })
  })
}

const urlOf = ({ address, port }: AddressInfo): string => {
  const isAny = address === '0.0.0.0' || address === '::'
  const host = address.includes(':') ? `[${address}]` : address
  return `http://${isAny ? 'localhost' : host}:${port}`
}

export async function startServer(deps: {
  app: RequestListener
  host: string
  port: number
  graceMs: number
  logger: Logger
}): Promise<ApiServer> {
  const { app, graceMs, logger } = deps
  let stopping = false
  const server = createServer(
    {
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: 10_000
    },
    (req, res) => {
      // Keep-alive connections outlive the listening socket. Their next request goes to another
      // process.
      if (stopping) res.setHeader('connection', 'close')
      app(req, res)
    }
  )
  const url = urlOf(await listen(server, deps.host, deps.port))
  server.on('error', (error) => logger.error({ err: error }, 'server error'))
  return {
    url,
    async stop() {
      stopping = true
      const cutOff = setTimeout(() => {
        logger.warn({ graceMs }, 'requests in flight are cut off')
        server.closeAllConnections()
      }, graceMs)
      await new Promise<void>((resolve) => server.close(() => resolve()))
      clearTimeout(cutOff)
    }
  }
}
