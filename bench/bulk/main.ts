// Compares imports of vectors over HTTP, as Arrow, with embedded LanceDB in a single run. Both get
// the same Arrow tables, in turns. Ours: the whole stack, some clients side by side, until every row
// is acknowledged, and until every row can be searched. LanceDB: as it is, which syncs no file, and
// with an fsync of each new file, which is what an acknowledgement means here.
// npm run bench -- bulk [--n 100000] [--dim 512] [--block 4000] [--clients 4] [--rounds 3] [--json]
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { silentLogger } from '@likeness/shared/process/logger'
import { type Stack, startStack } from '../../apps/cli/src/stack/start-stack.ts'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { toArrow } from '../engine/lance-side.ts'
import { loadArrow } from '../engine/lancedb.ts'
import { median, processorMs, round, timed } from '../measure.ts'
import { peerVersion } from '../peer.ts'
import { createHttpCollection } from './http-collection.ts'
import { insertIntoLance } from './lance-inserts.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '100000' },
    dim: { type: 'string', default: '512' },
    block: { type: 'string', default: '4000' },
    clients: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '3' },
    json: { type: 'boolean', default: false }
  }
})
const [n, dim, block] = [Number(args.n), Number(args.dim), Number(args.block)]
const say = (line: string) => args.json || console.log(line)
const ticksPerS = 100

/** Arrow tables of the rows, made when they are asked for, as a sender makes them. */
function* tablesOf(vectors: Float32Array): Generator<unknown> {
  for (let first = 0; first < n; first += block)
    yield toArrow({ first, vectors: vectors.slice(first * dim, (first + block) * dim) }, dim)
}

/** Processor time of a process so far, without that of its children, which merge. */
async function processorMsOf(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8')
  const [user, system] = stat.slice(stat.lastIndexOf(')')).split(' ').slice(12, 14)
  return ((Number(user) + Number(system)) * 1000) / ticksPerS
}

const rowsPerS = (ms: number): number => (1000 * n) / ms
const usPerRow = (ms: number): number => (1000 * ms) / n

async function insertOverHttp(stack: Stack, name: string, vectors: Float32Array) {
  const collection = await createHttpCollection({ url: stack.apiUrl, name, dim })
  const used = () =>
    Promise.all(
      ['api', 'index-worker'].map((app) => processorMsOf(stack.process(app).pid()!))
    ) as Promise<[number, number]>
  const before = await used()
  const { tableToIPC } = loadArrow()
  const tables = tablesOf(vectors)
  const jobs: string[] = []
  const send = async () => {
    for (const table of tables) jobs.push(await collection.send(tableToIPC(table, 'stream')))
  }
  const clients = Array.from({ length: Number(args.clients) }, () => send)
  const acknowledgedMs = await timed(() => Promise.all(clients.map((one) => one())))
  const restMs = await timed(() => collection.indexed(jobs))
  const after = await used()
  await collection.drop()
  return {
    acknowledged: rowsPerS(acknowledgedMs),
    searchable: rowsPerS(acknowledgedMs + restMs),
    apiUsPerRow: usPerRow(after[0] - before[0]),
    indexWorkerUsPerRow: usPerRow(after[1] - before[1])
  }
}

async function insertIntoBoth(dir: string, vectors: Float32Array) {
  let plain = 0
  const plainCpuMs = await processorMs(async () => {
    plain = await timed(() => insertIntoLance(tablesOf(vectors), { dir: `${dir}-plain` }))
  })
  const synced = await timed(() =>
    insertIntoLance(tablesOf(vectors), { dir: `${dir}-synced`, synced: true })
  )
  return {
    lancedb: rowsPerS(plain),
    lancedbSynced: rowsPerS(synced),
    lancedbUsPerRow: usPerRow(plainCpuMs)
  }
}

async function run(dir: string): Promise<void> {
  const vectors = clusteredVectors({ seed: 1, stream: 0, count: n, dim })
  const found: Record<string, number>[] = []
  const stack = await startStack({
    dataDir: join(dir, 'stack'),
    embedProcesses: 1,
    logger: silentLogger(),
    startTimeoutMs: 300_000
  })
  try {
    for (let at = 1; at <= Number(args.rounds); at++) {
      const ours = await insertOverHttp(stack, `bulk-${at}`, vectors)
      found.push({ ...ours, ...(await insertIntoBoth(join(dir, `lance-${at}`), vectors)) })
      const shown = Object.entries(found.at(-1)!).map(
        ([name, value]) => `${name} ${round(value, 0)}`
      )
      say(`round ${at}: ${shown.join(', ')}`)
    }
  } finally {
    await stack.stop()
  }
  const medians = Object.keys(found[0]!).map((name): [string, number] => [
    name,
    round(median(found.map((one) => one[name]!)), 0)
  ])
  console.log(
    JSON.stringify({
      rows: n,
      dim,
      block,
      clients: Number(args.clients),
      lancedbVersion: peerVersion('@lancedb/lancedb'),
      ...Object.fromEntries(medians)
    })
  )
}

const dir = await mkdtemp(join(tmpdir(), 'likeness-bulk-'))
try {
  await run(dir)
} finally {
  await rm(dir, { recursive: true, force: true })
}
