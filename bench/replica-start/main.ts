// Measures the start of a replica over a store: without local files, and over the files that a
// killed process left. In each start it loads what was used last, then searches.
// npm run bench -- replica-start [--rows 100000] [--dim 512] [--method HNSW32]
//   [--storage f32|f16|sq8|pq<m>] [--rescore] [--rounds 5] [--json]
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { indexMethodSchema, storageSchema } from '@likeness/shared/contract/collection'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { createWrittenCollection } from '../engine/written-collection.ts'
import { median, round } from '../measure.ts'
import type { Started, StartTask } from './starting-process.ts'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '100000' },
    dim: { type: 'string', default: '512' },
    method: { type: 'string', default: 'HNSW32' },
    storage: { type: 'string', default: 'f32' },
    rescore: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '5' },
    json: { type: 'boolean', default: false }
  }
})
const [rows, dim, rounds] = [Number(args.rows), Number(args.dim), Number(args.rounds)]
const rowsPerInsert = 20_000
const dir = await mkdtemp(join(tmpdir(), 'likeness-start-'))
const storeDir = join(dir, 'store')

async function writeCollection(): Promise<StartTask['listed'][number]> {
  const written = await createWrittenCollection({
    storeDir,
    cacheDir: join(dir, 'owner'),
    dim,
    method: indexMethodSchema.parse(args.method),
    storage: storageSchema.parse(args.storage),
    rescore: args.rescore
  })
  for (let first = 0; first < rows; first += rowsPerInsert) {
    const count = Math.min(rowsPerInsert, rows - first)
    await written.insert({
      first,
      vectors: clusteredVectors({ seed: 1, stream: first, count, dim })
    })
  }
  await written.mergeAll()
  await written.close()
  return written.spec
}

/** Kills the process when it has answered, so that the next one finds what a kill leaves. */
async function start(task: StartTask): Promise<Started> {
  const child = fork(fileURLToPath(new URL('starting-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced'
  })
  const exit = once(child, 'exit')
  child.send(task)
  const [answer] = (await Promise.race([once(child, 'message'), exit])) as [unknown]
  child.kill('SIGKILL')
  await exit
  if (typeof answer !== 'object' || answer === null) throw new Error(`the process ended: ${answer}`)
  return answer as Started
}

const summary = (starts: readonly Started[]) => ({
  readyMs: round(median(starts.map(({ readyMs }) => readyMs)), 1),
  firstSearchMs: round(median(starts.map(({ firstSearchMs }) => firstSearchMs)), 1),
  processorMs: round(median(starts.map(({ processorMs }) => processorMs)), 0),
  bytesRead: Math.round(median(starts.map(({ bytesRead }) => bytesRead))),
  requests: Math.round(median(starts.map(({ requests }) => requests)))
})

try {
  const spec = await writeCollection()
  const query = clusteredVectors({ seed: 1, stream: rows, count: 1, dim })
  const [cold, warm]: [Started[], Started[]] = [[], []]
  for (let round = 0; round < rounds; round++) {
    const task = { storeDir, cacheDir: join(dir, `replica-${round}`), listed: [spec], query }
    cold.push(await start(task))
    warm.push(await start(task))
    await rm(task.cacheDir, { recursive: true })
  }
  const found = new Set([...cold, ...warm].map(({ ids }) => ids.join()))
  if (found.size !== 1) throw new Error('starts found different items')
  const report = {
    rows,
    dim,
    method: args.method,
    storage: args.storage,
    rescore: args.rescore,
    rounds,
    cold: summary(cold),
    warm: summary(warm)
  }
  if (!args.json)
    for (const [name, { readyMs, firstSearchMs, bytesRead, requests }] of [
      ['without files', report.cold],
      ['after a kill', report.warm]
    ] as const)
      console.log(
        `${name}: ready after ${readyMs} ms, the first search takes ${firstSearchMs} ms, ${bytesRead} bytes in ${requests} requests`
      )
  console.log(JSON.stringify(report))
} finally {
  await rm(dir, { recursive: true, force: true })
}
