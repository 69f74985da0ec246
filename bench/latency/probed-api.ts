// The unchanged api, and beside the api a port that reports event loop delay and processor time
// since the last request.
import { createServer } from 'node:http'
import { type LoopDelay, watchLoop } from './loop-delay.ts'

export interface Probe {
  loop: LoopDelay
  /** Processor time of all threads. */
  processorMs: number
}

const loopDelay = watchLoop()
let before = process.cpuUsage()

createServer((_req, res) => {
  const { user, system } = process.cpuUsage(before)
  const probe: Probe = { loop: loopDelay(), processorMs: (user + system) / 1000 }
  res.end(JSON.stringify(probe))
  before = process.cpuUsage()
}).listen(Number(process.env.PROBE_PORT), '127.0.0.1')

await import('../../apps/api/src/main.ts')
