// `npm run soak -- [--hours H] [--kill-every S] [--svg FILE] [--json]`: the whole system under a steady
// load of uploads, deletes, relabels, searches and imports, while processes are killed. Writes memory,
// files and latencies over time into one picture. See README.md.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { z } from 'zod'
import { startLiveStack } from '../support/live-stack.ts'
import { drawCharts } from './draw-charts.ts'
import { runLoad } from './load.ts'
import { type Sample, sample } from './samples.ts'

const { values } = parseArgs({
  options: {
    hours: { type: 'string', default: '0.1' },
    'kill-every': { type: 'string', default: '30' },
    svg: { type: 'string', default: 'out/soak.svg' },
    json: { type: 'boolean', default: false }
  }
})
const positive = z.coerce.number().positive()
const hours = positive.parse(values.hours)
const killEveryMs = 1_000 * positive.parse(values['kill-every'])
const endMs = Date.now() + hours * 3_600_000
const sampleEveryMs = Math.max(1_000, (hours * 3_600_000) / 240)
const killed = ['api', 'api-2', 'api-3', 'index-worker', 'index-worker-2', 'embed-worker']

const live = await startLiveStack({ replicas: { api: 3, 'index-worker': 2 } })
try {
  const { stack } = live
  const load = await runLoad({ urls: stack.apiUrls, endMs })
  const samples: Sample[] = []
  let kills = 0
  const killing = (async () => {
    for (let n = 0; ; n++) {
      await new Promise((resolve) => setTimeout(resolve, killEveryMs))
      if (Date.now() > endMs - killEveryMs) return
      await stack.process(killed[n % killed.length]!).kill()
      kills++
    }
  })()
  while (Date.now() < endMs) {
    await new Promise((resolve) => setTimeout(resolve, sampleEveryMs))
    samples.push(await sample({ stack, latencies: load.takeLatencies() }))
  }
  await killing
  const { operations, lost, checked } = await load.finish()
  await writeFile(values.svg, drawCharts(samples))
  /** Medians of the second quarter and of the last one: the first quarter warms up. */
  const trend = (of: (one: Sample) => number): { early: number; late: number } => {
    const quarter = Math.floor(samples.length / 4)
    const middle = (from: number): number =>
      samples
        .slice(from, from + quarter)
        .map(of)
        .toSorted((a, b) => a - b)[Math.floor(quarter / 2)] ?? NaN
    return { early: middle(quarter), late: middle(samples.length - quarter) }
  }
  const result = {
    hours,
    operations,
    kills,
    checked,
    lost,
    memoryMb: trend(({ memoryMb }) => memoryMb),
    files: trend(({ files }) => files),
    filesPerOperation: trend(({ files, operations: done }) => files / Math.max(1, done)),
    searchP95Ms: trend(({ searchP95Ms }) => searchP95Ms),
    uploadP95Ms: trend(({ uploadP95Ms }) => uploadP95Ms),
    svg: values.svg
  }
  console.log(values.json ? JSON.stringify(result) : result)
  process.exitCode = lost === 0 ? 0 : 1
} finally {
  await live.stop()
}
