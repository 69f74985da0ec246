// Fuzzes a running stack at a small size; `npm run fuzz` runs longer and from other seeds.
import { afterAll, beforeAll, expect, test } from 'vitest'
import { fuzzHttp } from '../../fuzz/http-requests.ts'
import { installHint, runSchemathesis } from '../../fuzz/schemathesis.ts'
import { type LiveStack, startLiveStack } from '../../support/live-stack.ts'

let live: LiveStack
let url: string
beforeAll(async () => {
  live = await startLiveStack()
  url = live.stack.apiUrls[0]!
})
afterAll(() => live?.stop())

test.each([1, 2])(
  'odd requests, seed %i: no 500, no status that the document lacks, nothing stops',
  async (seed) => {
    const { requests, statuses } = await fuzzHttp(url, seed, 250)
    expect(requests).toBe(250)
    expect(Object.keys(statuses).length).toBeGreaterThan(3)
  }
)

test('schemathesis finds no fault, where it is installed', async (context) => {
  const isGood = await runSchemathesis(url, { seconds: 20, seed: 1 })
  if (isGood === undefined) context.skip(`NOT RUN: schemathesis is not installed (${installHint})`)
  expect(isGood).toBe(true)
})
