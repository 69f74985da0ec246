// Measures the cost of HTTP and the api on top of the Faiss call of a vector search, and the delay
// of the api's event loop. The whole stack runs; only the api is started through probed-api.ts.
// Searches over HTTP and raw calls take turns.
// npm run bench -- latency [--n 50000] [--dim 512] [--queries 200] [--rounds 7] [--clients 16]
//   [--seconds 10] [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { silentLogger } from '@likeness/shared/process/logger'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { findFreePort } from '../../apps/cli/src/stack/free-port.ts'
import { startStack } from '../../apps/cli/src/stack/start-stack.ts'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { createRowAcceptance } from '../engine/accept-rows.ts'
import { type CollectionOptions, createWrittenCollection } from '../engine/written-collection.ts'
import { median, percentile, processorMs, round, timed } from '../measure.ts'
import { createSearchClient, searchBody, type SearchClient } from './http-client.ts'
import type { LoopDelay } from './loop-delay.ts'
import type { Probe } from './probed-api.ts'
import { openRawIndex, type RawIndex } from './raw-index.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '50000' },
    dim: { type: 'string', default: '512' },
    queries: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '7' },
    clients: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '10' },
    json: { type: 'boolean', default: false }
  }
})
const [n, dim, clients] = [Number(args.n), Number(args.dim), Number(args.clients)]
const effort = { k: 10, search_budget: 128 }
/** Effort with which the engine searches a segment of a row per item. */
const rawEffort = { k: 20, efSearch: 128 }
const rowsPerInsert = 4000
const rowsPerLoad = 500
const say = (line: string) => args.json || console.log(line)

/**
 * Fills a collection and merges it to a single sealed segment, so that the raw search is a single
 * call.
 */
async function fill(
  options: Omit<CollectionOptions, 'method' | 'dim'>,
  rows: number,
  sealThreshold: number
) {
  const collection = await createWrittenCollection({
    ...options,
    dim,
    method: 'HNSW32',
    settings: { seal_threshold: sealThreshold }
  })
  for (let first = 0; first < rows; first += rowsPerInsert) {
    await collection.insert({
      first,
      vectors: clusteredVectors({
        seed: 1,
        stream: 1000 + first,
        count: Math.min(rowsPerInsert, rows - first),
        dim
      })
    })
  }
  await collection.mergeAll()
  await collection.close()
  return collection.spec
}

async function oneClient(
  http: SearchClient,
  raw: RawIndex,
  vectors: Float32Array[],
  bodies: Buffer[]
) {
  const ms = { http: [] as number[], raw: [] as number[] }
  for (let i = 0; i < Number(args.rounds); i++) {
    for (const vector of vectors) ms.raw.push(await timed(() => raw.search(vector, rawEffort)))
    for (const body of bodies) ms.http.push(await http.search(body))
  }
  const [httpP50, rawP50] = [median(ms.http), median(ms.raw)]
  say(
    `one client: p50 ${httpP50.toFixed(3)} ms over HTTP, ${rawP50.toFixed(3)} ms raw, ${(httpP50 - rawP50).toFixed(3)} ms more`
  )
  return {
    httpP50Ms: round(httpP50, 3),
    rawP50Ms: round(rawP50, 3),
    overRawMs: round(httpP50 - rawP50, 3)
  }
}

/**
 * Runs a number of clients for some seconds, each asking the collections in turn. Returns the time
 * of each answer.
 */
async function search(
  http: SearchClient,
  bodies: Buffer[],
  { clients: count, collections }: { clients: number; collections: (string | undefined)[] }
): Promise<number[]> {
  const endMs = performance.now() + 1000 * Number(args.seconds)
  const ms: number[] = []
  await Promise.all(
    Array.from({ length: count }, async (_, client) => {
      for (let i = client; performance.now() < endMs; i++)
        ms.push(await http.search(bodies[i % bodies.length]!, collections[i % collections.length]))
    })
  )
  return ms
}

async function run(dir: string): Promise<void> {
  const dataDir = join(dir, 'stack')
  const storeDir = join(dataDir, 'objects')
  const cacheDir = join(dir, 'writer')
  say(`filling a collection of ${n} x ${dim}`)
  const { collectionId } = await fill({ storeDir, cacheDir, name: 'bench' }, n, Math.max(n, 20))
  const growing = await fill({ storeDir, cacheDir, name: 'growing' }, rowsPerLoad, 4 * rowsPerLoad)
  const raw = await openRawIndex({ storeDir, cacheDir: join(dir, 'raw'), collectionId })
  const queries = clusteredVectors({ seed: 1, stream: 1, count: Number(args.queries), dim })
  const vectors = Array.from({ length: Number(args.queries) }, (_, i) =>
    queries.slice(i * dim, (i + 1) * dim)
  )
  const bodies = vectors.map((vector) => searchBody(vector, effort))
  const probePort = await findFreePort()
  const stack = await startStack({
    dataDir,
    embedProcesses: 1,
    logger: silentLogger(),
    startTimeoutMs: 300_000,
    entries: { api: fileURLToPath(new URL('probed-api.ts', import.meta.url)) },
    appEnv: { api: { PROBE_PORT: String(probePort) } }
  })
  const probe = async () => (await (await fetch(`http://127.0.0.1:${probePort}/`)).json()) as Probe
  const http = createSearchClient({ url: stack.apiUrl, collection: 'bench', clients })
  try {
    await Promise.all([http.search(bodies[0]!), http.search(bodies[0]!, 'growing')])
    const single = await oneClient(http, raw, vectors, bodies)
    const rawCpuMs =
      (await processorMs(async () => {
        for (const vector of vectors) await raw.search(vector, rawEffort)
      })) / vectors.length
    await probe()
    await new Promise((resolve) => setTimeout(resolve, 1000 * Number(args.seconds)))
    const idle = await probe()
    const ms = await search(http, bodies, { clients, collections: [undefined] })
    const searching = await probe()
    const cpuMs = searching.processorMs / ms.length
    say(
      `${clients} clients: ${(ms.length / Number(args.seconds)).toFixed(0)} queries/s, p50 ${median(ms).toFixed(2)} ms, processor time ${cpuMs.toFixed(3)} ms a query, raw ${rawCpuMs.toFixed(3)}`
    )
    const load = await underLoad({ http, bodies, storeDir, spec: growing, probe })
    const many = {
      clients,
      queriesPerS: Math.round(ms.length / Number(args.seconds)),
      p50Ms: round(median(ms), 2),
      p99Ms: round(percentile(ms, 0.99), 2),
      processorMsPerQuery: round(cpuMs, 3),
      rawProcessorMs: round(rawCpuMs, 3),
      overRawMs: round(cpuMs - rawCpuMs, 3)
    }
    const loop = {
      idle: rounded(idle.loop),
      searching: rounded(searching.loop),
      load: rounded(load.loop)
    }
    for (const [when, { p999Ms, ownP999Ms, ownMaxMs }] of Object.entries(loop))
      say(
        `event loop, ${when}: p99.9 ${p999Ms} ms late, ${ownP999Ms} without waiting for a processor (at most ${ownMaxMs})`
      )
    console.log(
      JSON.stringify({
        rows: n,
        dim,
        one: single,
        many,
        loop,
        committedRows: load.rows,
        newVersions: load.versions
      })
    )
  } finally {
    http.close()
    raw.close()
    await stack.stop()
  }
}

interface Load {
  http: SearchClient
  bodies: Buffer[]
  storeDir: string
  spec: Awaited<ReturnType<typeof fill>>
  probe: () => Promise<Probe>
}

const rounded = (loop: LoopDelay): LoopDelay => ({
  p50Ms: round(loop.p50Ms, 2),
  p999Ms: round(loop.p999Ms, 2),
  maxMs: round(loop.maxMs, 2),
  ownP999Ms: round(loop.ownP999Ms, 2),
  ownMaxMs: round(loop.ownMaxMs, 2)
})

/**
 * Searches both collections with a few clients, so that the api holds both. Meanwhile rows are
 * accepted, committed and merged into a single collection.
 */
async function underLoad({
  http,
  bodies,
  storeDir,
  spec,
  probe
}: Load): Promise<Probe & { rows: number; versions: number }> {
  const store = await openDirectoryStore({ root: storeDir })
  const { accept } = createRowAcceptance({ store, spec })
  const before = http.seqOf(spec.name)
  let ended = false
  let rows = rowsPerLoad
  const feeding = (async () => {
    while (!ended) {
      await accept({
        first: rows,
        vectors: clusteredVectors({ seed: 1, stream: 1000 + rows, count: rowsPerLoad, dim })
      })
      rows += rowsPerLoad
    }
  })()
  await probe()
  await search(http, bodies, { clients: 4, collections: ['bench', spec.name] })
  const found = await probe()
  ended = true
  await feeding
  await store.close()
  return { ...found, rows, versions: http.seqOf(spec.name) - before }
}

const dir = await mkdtemp(join(tmpdir(), 'likeness-latency-'))
try {
  await run(dir)
} finally {
  await rm(dir, { recursive: true, force: true })
}
