// Counts what collections in which nothing happens ask of the store, and what S3 takes for it. The
// time is simulated; the counted span begins after the rounds of the start.
// npm run bench -- idle [--collections 100] [--hours 48] [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { countIdleRequests } from '../apps/index-worker/src/testing/idle-collections.ts'

const { values: args } = parseArgs({
  options: {
    collections: { type: 'string', default: '100' },
    hours: { type: 'string', default: '48' },
    json: { type: 'boolean', default: false }
  }
})
const [collections, hours] = [Number(args.collections), Number(args.hours)]
const hourMs = 3_600_000
const monthHours = 730
/** Dollars of S3 for a request. */
const price = { get: 0.0004 / 1000, put: 0.005 / 1000, list: 0.005 / 1000 }

const dir = await mkdtemp(join(tmpdir(), 'likeness-idle-'))
const requests = await countIdleRequests({
  collections,
  fromMs: hourMs,
  forMs: hours * hourMs,
  dir
})
await rm(dir, { recursive: true })
const kinds = ['get', 'put', 'list'] as const
const perMonth = (kind: (typeof kinds)[number]) =>
  (requests[kind] / collections / hours) * monthHours
const dollarsPerMonth = kinds.reduce((sum, kind) => sum + perMonth(kind) * price[kind], 0)
const report = {
  collections,
  hours,
  perCollectionAndMonth: Object.fromEntries(
    kinds.map((kind) => [kind, Math.round(perMonth(kind))])
  ),
  dollarsPerCollectionAndMonth: Number(dollarsPerMonth.toFixed(4))
}
process.stdout.write(
  args.json
    ? `${JSON.stringify(report)}\n`
    : `${JSON.stringify(report.perCollectionAndMonth)} requests a collection and month, $${report.dollarsPerCollectionAndMonth}\n`
)
