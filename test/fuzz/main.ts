// `npm run fuzz -- [--seconds N] [--seed S] [--only log|http|schemathesis]`: fuzzes the log of
// collections and the HTTP api of a running stack, each for about so many seconds.
import { inspect, parseArgs } from 'node:util'
import { z } from 'zod'
import { startLiveStack } from '../support/live-stack.ts'
import { fuzzHttp } from './http-requests.ts'
import { fuzzLog } from './log-operations.ts'
import { installHint, runSchemathesis } from './schemathesis.ts'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string' },
    only: { type: 'string' }
  }
})
const { seconds, seed, only } = z
  .object({
    seconds: z.coerce.number().min(1),
    seed: z.coerce
      .number()
      .int()
      .default(() => Date.now() % 1_000_000),
    only: z.enum(['log', 'http', 'schemathesis']).optional()
  })
  .parse(values)
const wants = (part: string): boolean => only === undefined || only === part
let failed = 0
const say = (line: string) => console.log(line)

/** Runs one seed after another until the time is over. */
async function repeat(part: string, run: (seed: number) => Promise<object>): Promise<void> {
  const untilMs = performance.now() + seconds * 1000
  for (let at = seed; performance.now() < untilMs; at++) {
    try {
      say(`${part}, seed ${at}: ${JSON.stringify(await run(at))}`)
    } catch (error) {
      failed++
      say(`FAILED ${part}, seed ${at}: ${inspect(error)}`)
      if (failed === 3) return
    }
  }
}

if (wants('log')) await repeat('log', (at) => fuzzLog(at, 100))
if (wants('http') || wants('schemathesis')) {
  const live = await startLiveStack()
  try {
    const [url] = live.stack.apiUrls as [string]
    if (wants('http')) await repeat('http', (at) => fuzzHttp(url, at, 300))
    if (wants('schemathesis')) {
      const isGood = await runSchemathesis(url, { seconds, seed })
      if (isGood === undefined) say(`NOT RUN: schemathesis is not installed (${installHint})`)
      if (isGood === false) failed++
    }
  } finally {
    await live.stop()
  }
}
say(failed === 0 ? 'no fault found' : `${failed} faults`)
// The sockets of fetch to the stopped stack would keep the process for a while.
process.exit(failed === 0 ? 0 : 1)
