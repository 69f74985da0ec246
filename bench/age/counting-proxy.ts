// A proxy before an S3 server that counts requests by kind. It passes everything on as it is, so
// signatures stay valid.
import { createServer, request } from 'node:http'
import type { AddressInfo } from 'node:net'

const kinds = ['get', 'head', 'put', 'delete', 'list'] as const
export type RequestKind = (typeof kinds)[number]
export type RequestCounts = Record<RequestKind, number>

/** Dollars of S3 for a request; deletes are free. */
const dollars: RequestCounts = {
  get: 0.4e-6,
  head: 0.4e-6,
  put: 5e-6,
  delete: 0,
  list: 5e-6
}
export const dollarsOf = (counts: RequestCounts): number =>
  kinds.reduce((sum, kind) => sum + counts[kind] * dollars[kind], 0)

function kindOf(method: string, url: string): RequestKind {
  if (method === 'GET') return url.includes('list-type=') ? 'list' : 'get'
  if (method === 'HEAD') return 'head'
  return method === 'DELETE' || url.includes('?delete') ? 'delete' : 'put'
}

export interface CountingProxy {
  endpoint: string
  /** Returns the requests since the last call. */
  take(): RequestCounts
  close(): Promise<void>
}

export async function startCountingProxy(endpoint: string): Promise<CountingProxy> {
  const { hostname, port } = new URL(endpoint)
  const none = (): RequestCounts => ({ get: 0, head: 0, put: 0, delete: 0, list: 0 })
  let counts = none()
  const server = createServer((from, to) => {
    const { method = 'GET', url: path = '/', headers } = from
    counts[kindOf(method, path)]++
    const onward = request({ hostname, port, method, path, headers }, (answer) => {
      to.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(to)
    })
    // The client sees a broken connection, and tries again.
    onward.on('error', () => to.destroy())
    from.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    take() {
      const taken = counts
      counts = none()
      return taken
    },
    close: () => {
      server.closeAllConnections()
      return new Promise<void>((resolve) => server.close(() => resolve()))
    }
  }
}
