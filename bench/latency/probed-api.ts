// The api as it is, and beside it a port that tells the delay of its event loop and its processor time since it was asked before.
import { createServer } from 'node:http'
import { type LoopDelay, watchLoop } from './loop-delay.ts'

export interface Probe {
  loop: LoopDelay
  /** Of all threads. */
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
