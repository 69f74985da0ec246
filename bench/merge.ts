// Measures whether it is cheaper to keep a graph and add rows, or to move inverted lists, than to
// build the index of a merge anew. Reports processor time and recall@10 by the share of rows in the
// kept graph.
// npm run bench -- merge [--rows 20000] [--dim 128] [--queries 200] [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configurePool, FaissIndex, trainCentroids } from '@likeness/faiss'
import { clusteredVectors } from './ann/clustered-vectors.ts'

const { values: args } = parseArgs({
  options: {
    rows: { type: 'string', default: '20000' },
    dim: { type: 'string', default: '128' },
    queries: { type: 'string', default: '200' },
    json: { type: 'boolean', default: false }
  }
})
const [rows, dim, queryCount] = [Number(args.rows), Number(args.dim), Number(args.queries)]
const shares = [1 / 8, 0.3, 0.5, 0.75, 0.9]
const k = 10
const efSearch = 64
const say = (line: string) => args.json || console.log(line)
configurePool({ threads: 1 })

const vectors = clusteredVectors({ seed: 1, stream: 0, count: rows, dim })
const queries = clusteredVectors({ seed: 1, stream: 1, count: queryCount, dim })
const part = (from: number, to: number) => vectors.subarray(from * dim, to * dim)

/** Seconds of processor time: other work of the machine does not count. */
async function seconds(work: () => Promise<void>): Promise<number> {
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return Number(((user + system) / 1e6).toFixed(2))
}

/** Row i of the vectors lies at the place of i. */
async function recallOf(index: FaissIndex, places?: Int32Array): Promise<number> {
  const { ids } = await index.search(queries, { k, efSearch })
  const hit = (id: number, i: number) =>
    truth.ids
      .subarray(Math.floor(i / k) * k, Math.floor(i / k) * k + k)
      .some((row) => (places?.[row] ?? row) === id)
  return ids.reduce((sum, id, i) => sum + Number(hit(id, i)), 0) / ids.length
}

const flat = FaissIndex.create({ kind: 'flat', dim, metric: 'ip' })
await flat.add(vectors)
const truth = await flat.search(queries, { k })
flat.close()
const dir = await mkdtemp(join(tmpdir(), 'likeness-merge-'))
try {
  const built = FaissIndex.create({ kind: 'hnsw', dim, metric: 'ip' })
  const buildS = await seconds(() => built.add(vectors))
  const build = { seconds: buildS, recall: await recallOf(built) }
  built.close()
  say(
    `built anew, ${rows} x ${dim}: ${build.seconds} s, recall@${k} ${build.recall.toFixed(4)} at efSearch ${efSearch}`
  )
  const clone: { share: number; seconds: number; ratio: number; recall: number }[] = []
  const places = Int32Array.from({ length: rows }, (_, i) => rows - 1 - i)
  for (const share of shares) {
    const kept = Math.round(share * rows)
    const path = join(dir, 'kept')
    const base = FaissIndex.create({ kind: 'hnsw', dim, metric: 'ip' })
    await base.add(part(0, kept))
    await base.write(path)
    base.close()
    let grown!: FaissIndex
    const took = await seconds(async () => {
      grown = await FaissIndex.read(path)
      await grown.reserve(rows)
      await grown.add(part(kept, rows))
      await grown.renumber(places)
    })
    clone.push({
      share,
      seconds: took,
      ratio: Number((took / build.seconds).toFixed(2)),
      recall: await recallOf(grown, places)
    })
    grown.close()
    say(
      `a graph of ${(100 * share).toFixed(0)} % kept: ${took} s, ${clone.at(-1)!.ratio} of building, recall@${k} ${clone.at(-1)!.recall.toFixed(4)}`
    )
  }
  const centroids = await trainCentroids(part(0, Math.min(rows, 20_000)), {
    dim,
    nlist: Math.round(4 * Math.sqrt(rows)),
    metric: 'ip'
  })
  const ivf = () => FaissIndex.create({ kind: 'ivf', dim, metric: 'ip', centroids })
  const assigned = ivf()
  const assignS = await seconds(() => assigned.add(vectors))
  await assigned.write(join(dir, 'lists'))
  assigned.close()
  const target = ivf()
  const moveS = await seconds(() => target.moveLists(join(dir, 'lists'), places))
  target.close()
  say(`inverted lists: ${assignS} s assigned anew, ${moveS} s moved`)
  console.log(JSON.stringify({ rows, dim, build, clone, lists: { assignS, moveS } }))
} finally {
  await rm(dir, { recursive: true, force: true })
}
