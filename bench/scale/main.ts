// Tests a large gallery on this machine: seeded rows are streamed into segments, then a read-only
// process opens and searches them. Every phase reports its results.
// npm run bench -- scale [--n 1000000] [--dim 512] [--method HNSW32|IVF]
//   [--storage f32|f16|sq8|pq<m>] [--segments 4] [--nlist N] [--queries 200] [--dir DIR]
//   [--on-disk] [--json]
// With --dir, files stay there, and the same command continues after a break. --on-disk maps
// inverted lists when they are read.
import { fork } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type IndexSpec, trainCentroids, trainCodebook, type VectorStorage } from '@likeness/faiss'
import { bytesAVector } from '@likeness/shared/contract/index-memory'
import { median, percentile, recallOf, round, timed } from '../measure.ts'
import {
  buildSegment,
  recordedSegment,
  type SegmentPlan,
  type SegmentRecord
} from './build-segment.ts'
import { mergeBest } from './exact-best.ts'
import type { ReaderResult, ReaderTask } from './reader-process.ts'
import { blockOf, queriesOf, rowsPerBlock } from './seeded-stream.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '1000000' },
    dim: { type: 'string', default: '512' },
    method: { type: 'string', default: 'HNSW32' },
    storage: { type: 'string', default: 'f32' },
    segments: { type: 'string', default: '4' },
    nlist: { type: 'string' },
    queries: { type: 'string', default: '200' },
    dir: { type: 'string' },
    'on-disk': { type: 'boolean', default: false },
    json: { type: 'boolean', default: false }
  }
})
const [rows, dim, k] = [Number(args.n), Number(args.dim), 10]
const method = args.method as 'HNSW32' | 'IVF' | 'FLAT'
const storage = args.storage as VectorStorage
const pointsPerCentroid = 40
const efforts = { HNSW32: [32, 64, 128, 256, 512], IVF: [8, 16, 32, 64, 128, 256], FLAT: [1] }
const startedMs = performance.now()
const say = (line: string) =>
  process.stderr.write(`${((performance.now() - startedMs) / 1000).toFixed(0)} s: ${line}\n`)

async function remembered(file: string, make: () => Promise<Float32Array>): Promise<Float32Array> {
  try {
    const body = await readFile(file)
    return new Float32Array(new Uint8Array(body).buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const made = await make()
  await writeFile(file, new Uint8Array(made.buffer, made.byteOffset, made.byteLength))
  return made
}

/** Sample rows, evenly spaced over all blocks. */
function sampleRows(count: number): Float32Array {
  const blocks = Math.ceil(rows / rowsPerBlock)
  const sample = new Float32Array(Math.min(count, rows) * dim)
  const each = Math.ceil(sample.length / dim / blocks)
  for (let block = 0, at = 0; at < sample.length; block++) {
    const part = blockOf(block, { rows, dim }).vectors.subarray(
      0,
      Math.min(each * dim, sample.length - at)
    )
    sample.set(part, at)
    at += part.length
  }
  return sample
}

/** Trains the shared parts of the indexes on a sample. */
async function train(dir: string): Promise<{ spec: IndexSpec; trainS: number }> {
  const stored = { dim, metric: 'ip' as const, storage }
  const nlist = Number(args.nlist ?? Math.round(4 * Math.sqrt(rows)))
  let sample: Float32Array | undefined
  const points = () =>
    (sample ??= sampleRows(method === 'IVF' ? nlist * pointsPerCentroid : 50_000))
  let [centroids, codebook]: (Float32Array | undefined)[] = []
  const trainMs = await timed(async () => {
    if (method === 'IVF')
      centroids = await remembered(join(dir, 'centroids.f32'), () =>
        trainCentroids(points(), { dim, nlist, metric: 'ip' })
      )
    if (storage !== 'f32' && storage !== 'f16')
      codebook = await remembered(join(dir, 'codebook.f32'), () =>
        trainCodebook(points(), { ...stored, centroids })
      )
  })
  if (trainMs > 100)
    say(`trained${method === 'IVF' ? ` ${nlist} lists` : ''} in ${(trainMs / 1000).toFixed(1)} s`)
  const spec: IndexSpec =
    method === 'IVF'
      ? { ...stored, kind: 'ivf', codebook, centroids: centroids! }
      : { ...stored, kind: method === 'FLAT' ? 'flat' : 'hnsw', codebook }
  return { spec, trainS: round(trainMs / 1000, 1) }
}

async function takeSegment(
  i: number,
  plan: Omit<SegmentPlan, 'first' | 'end' | 'file'>,
  { dir, count }: { dir: string; count: number }
): Promise<SegmentRecord> {
  const blocks = Math.ceil(rows / rowsPerBlock)
  const file = join(dir, `${i}.index`)
  const known = await recordedSegment(file)
  const record =
    known ??
    (await buildSegment({
      ...plan,
      first: Math.floor((blocks * i) / count),
      end: Math.floor((blocks * (i + 1)) / count),
      file
    }))
  say(
    `segment ${i}: ${record.rows} rows ${known === undefined ? `added in ${record.addS.toFixed(1)} s` : 'were there'}, ${((await stat(file)).size / record.rows).toFixed(1)} bytes a vector on disk`
  )
  return record
}

/**
 * Builds as many segments at a time as there are cores, so that finished segments stay after a
 * break. Segments of an earlier run are reused.
 */
async function buildAll(
  dir: string,
  spec: IndexSpec,
  queries: Float32Array
): Promise<SegmentRecord[]> {
  const count = Math.min(Number(args.segments), Math.ceil(rows / rowsPerBlock))
  const records: SegmentRecord[] = []
  const waiting = Array.from({ length: count }, (_, i) => i)
  await Promise.all(
    Array.from({ length: availableParallelism() }, async () => {
      for (let i = waiting.shift(); i !== undefined; i = waiting.shift())
        records[i] = await takeSegment(i, { spec, rows, queries, k }, { dir, count })
    })
  )
  return records
}

function readAll(task: ReaderTask): Promise<ReaderResult> {
  const child = fork(fileURLToPath(new URL('reader-process.ts', import.meta.url)), {
    execArgv: ['--import', 'tsx'],
    serialization: 'advanced'
  })
  return new Promise((resolve, reject) => {
    child.once('message', (result) => resolve(result as ReaderResult))
    child.once('exit', (code, signal) =>
      reject(new Error(`the reader ended with ${code ?? signal}`))
    )
    child.send(task)
  })
}

async function run(dir: string): Promise<void> {
  const queries = queriesOf({ count: Number(args.queries), dim })
  const { spec, trainS } = await train(dir)
  let records!: SegmentRecord[]
  const buildMs = await timed(async () => (records = await buildAll(dir, spec, queries)))
  const truth = mergeBest(k, ...records.map(({ best }) => best)).map(
    (best) => new Set(best.map(([row]) => row))
  )
  const { openS, residentBytes, searches } = await readAll({
    segments: records.map(({ file, firstRow }) => ({ file, firstRow })),
    queries,
    dim,
    k,
    efforts: efforts[method],
    mapLists: args['on-disk']
  })
  const formula = bytesAVector({ method, metric: 'IP', storage, dim })
  say(
    `opened in ${openS.toFixed(1)} s, ${(residentBytes / rows).toFixed(1)} resident bytes a vector, formula ${formula.toFixed(1)}`
  )
  const table = searches.map(({ effort, rows: found, ms }) => ({
    effort,
    recall: round(recallOf(found, truth), 4),
    msP50: round(median(ms), 2),
    msP99: round(percentile(ms, 0.99), 2)
  }))
  for (const { effort, recall, msP50, msP99 } of table)
    say(`effort ${effort}: recall@10 ${recall}, p50 ${msP50} ms, p99 ${msP99} ms`)
  const addS = records.map((record) => round(record.addS, 1))
  console.log(
    JSON.stringify({
      rows,
      dim,
      method,
      storage,
      segments: records.length,
      trainS,
      addS,
      wallS: round(buildMs / 1000, 1),
      openS: round(openS, 1),
      residentBytesAVector: round(residentBytes / rows, 1),
      formulaBytesAVector: round(formula, 1),
      searches: table
    })
  )
}

if (args.dir !== undefined) {
  // A run continues only with files of the same arguments.
  const dir = join(
    args.dir,
    [method, storage, rows, dim, args.segments, args.nlist ?? 'nlist', args.queries].join('-')
  )
  await mkdir(dir, { recursive: true })
  await run(dir)
} else {
  const dir = await mkdtemp(join(tmpdir(), 'likeness-scale-'))
  try {
    await run(dir)
  } finally {
    await rm(dir, { recursive: true, force: true })
  }
}
