// The api as it is, and beside it a port that tells the delay of its event loop and its processor time since it was asked before.
import { createServer } from 'node:http'
import { monitorEventLoopDelay } from 'node:perf_hooks'

export interface Probe {
  /** Between turns of a timer that wants to run every millisecond. */
  loopP50Ms: number
  loopP999Ms: number
  loopMaxMs: number
  /** Of all threads. */
  processorMs: number
}

const loop = monitorEventLoopDelay({ resolution: 1 })
loop.enable()
let before = process.cpuUsage()

createServer((_req, res) => {
  const { user, system } = process.cpuUsage(before)
  const probe: Probe = { loopP50Ms: loop.percentile(50) / 1e6, loopP999Ms: loop.percentile(99.9) / 1e6, loopMaxMs: loop.max / 1e6, processorMs: (user + system) / 1000 }
  res.end(JSON.stringify(probe))
  before = process.cpuUsage()
  loop.reset()
}).listen(Number(process.env.PROBE_PORT), '127.0.0.1')

await import('../../apps/api/src/main.ts')
