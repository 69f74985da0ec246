// Stands in for an app in the launcher's tests: listens on PORT, reports ready, shows its
// environment, or fails on request.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

if (process.env.STAND_IN_FAILS !== undefined) {
  process.stderr.write(`${process.env.STAND_IN_FAILS}\n`)
  process.exit(2)
}
const server = createServer((_request, response) =>
  response.end(JSON.stringify({ pid: process.pid, env: process.env }))
)
server.listen(Number(process.env.PORT ?? 0), '127.0.0.1', () => {
  process.send?.({ ready: true, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
})
process.on('SIGTERM', () => process.exit(0))
process.on('disconnect', () => process.exit(0))
