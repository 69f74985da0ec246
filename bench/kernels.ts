// Measures the kernels for rows of bytes and of bits: a single thread, in turns, medians of
// processor time. Compares a graph over sq8 rows with the same graph over f32 rows at equal recall,
// and the scan of packed bits with a plain read of as many bytes.
// npm run bench -- kernels [--n 50000] [--dim 512] [--queries 300] [--rounds 9] [--recall 0.95]
//   [--mib 512] [--json]
import { randomFillSync } from 'node:crypto'
import { parseArgs } from 'node:util'
import { BinaryIndex, configurePool, FaissIndex, type VectorStorage } from '@likeness/faiss'
import { clusteredVectors } from './ann/clustered-vectors.ts'
import { leastEffort } from '@likeness/shared/data/least-effort'
import { exactRows, median, processorMs, recallOf, round } from './measure.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '50000' },
    dim: { type: 'string', default: '512' },
    queries: { type: 'string', default: '300' },
    rounds: { type: 'string', default: '9' },
    recall: { type: 'string', default: '0.95' },
    mib: { type: 'string', default: '512' },
    json: { type: 'boolean', default: false }
  }
})
const [rows, dim, rounds] = [Number(args.n), Number(args.dim), Number(args.rounds)]
const k = 10
const rowsPerAdd = 10_000
const say = (line: string) => args.json || console.log(line)

async function buildGraph(storage: VectorStorage, vectors: Float32Array): Promise<FaissIndex> {
  const index = FaissIndex.create({ kind: 'hnsw', dim, metric: 'ip', storage })
  for (let first = 0; first < rows; first += rowsPerAdd)
    await index.add(vectors.subarray(first * dim, Math.min(rows, first + rowsPerAdd) * dim))
  return index
}

interface Graph {
  storage: VectorStorage
  index: FaissIndex
  buildS: number
  efSearch: number
  recall: number
  ms: number[]
}

async function openGraph(
  storage: VectorStorage,
  vectors: Float32Array,
  queries: Float32Array,
  truth: Set<number>[]
): Promise<Graph> {
  let index!: FaissIndex
  const buildMs = await processorMs(async () => (index = await buildGraph(storage, vectors)))
  const recallAt = async (efSearch: number) =>
    recallOf((await index.search(queries, { k, efSearch })).ids, truth)
  const tuned = await leastEffort(recallAt, Number(args.recall))
  if (tuned === undefined)
    throw new Error(`hnsw over ${storage} does not reach recall ${args.recall}`)
  return {
    storage,
    index,
    buildS: round(buildMs / 1000, 1),
    efSearch: tuned.effort,
    recall: tuned.recall,
    ms: []
  }
}

async function measureGraphs() {
  const vectors = clusteredVectors({ seed: 1, stream: 0, count: rows, dim })
  const queries = clusteredVectors({ seed: 1, stream: 1, count: Number(args.queries), dim })
  const truth = await exactRows(vectors, queries, { dim, k })
  const graphs: Graph[] = []
  for (const storage of ['f32', 'f16', 'sq8'] as const)
    graphs.push(await openGraph(storage, vectors, queries, truth))
  for (let i = 0; i < rounds; i++) {
    for (const { index, efSearch, ms } of graphs)
      ms.push((await processorMs(() => index.search(queries, { k, efSearch }))) / truth.length)
  }
  for (const { index } of graphs) index.close()
  return Object.fromEntries(
    graphs.map(({ storage, efSearch, recall, buildS, ms }) => {
      say(
        `hnsw over ${storage}: efSearch ${efSearch}, recall@10 ${recall.toFixed(4)}, ${median(ms).toFixed(3)} ms a query, built in ${buildS} s`
      )
      return [storage, { efSearch, recall, buildS, msPerQuery: round(median(ms), 4) }]
    })
  )
}

/** Reads all bytes: memchr looks for a missing byte, as fast as memory allows. */
function plainRead(bytes: Buffer): void {
  if (bytes.indexOf(0) !== -1) throw new Error('the plain read stopped before the end')
}

async function measureHamming(bits: number) {
  const rowBytes = bits / 8
  const count = Math.floor((Number(args.mib) * 2 ** 20) / rowBytes)
  const index = BinaryIndex.create({ kind: 'flat', bits })
  const block = Buffer.alloc(rowBytes * 2 ** 16)
  for (let first = 0; first < count; first += 2 ** 16) {
    const part = block.subarray(0, Math.min(2 ** 16, count - first) * rowBytes)
    await index.add(new Uint8Array(randomFillSync(part)))
  }
  const query = new Uint8Array(randomFillSync(Buffer.alloc(rowBytes)))
  const plain = Buffer.alloc(count * rowBytes, 1)
  const ms = { scan: [] as number[], read: [] as number[] }
  await index.search(query, { k })
  plainRead(plain)
  for (let i = 0; i < rounds; i++) {
    ms.scan.push(await processorMs(() => index.search(query, { k })))
    ms.read.push(await processorMs(() => plainRead(plain)))
  }
  index.close()
  const speed = (values: number[]) => round((count * rowBytes) / median(values) / 1e6, 2)
  const result = {
    scanGBs: speed(ms.scan),
    readGBs: speed(ms.read),
    share: round(median(ms.scan.map((each, i) => ms.read[i]! / each)), 3)
  }
  say(
    `hamming, ${count} rows of ${bits} bits: ${result.scanGBs} GB/s, plain read ${result.readGBs} GB/s, ${result.share} of it`
  )
  return result
}

configurePool({ threads: 1 })
const hamming: Record<number, unknown> = {}
for (const bits of [256, 512, 1024]) hamming[bits] = await measureHamming(bits)
const hnsw = await measureGraphs()
const sq8OverF32 = round(hnsw.f32!.msPerQuery / hnsw.sq8!.msPerQuery, 2)
say(`hnsw over sq8 answers ${sq8OverF32} times the queries/s of f32`)
console.log(JSON.stringify({ rows, dim, hnsw, sq8OverF32, hamming }))
