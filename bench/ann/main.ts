// Compares approximate search with hnswlib-node and usearch in a single run: a thread each, the
// same graph parameters, on data that is hard for a graph. Each efSearch is the smallest that
// reaches the requested recall@10. Rounds of the three take turns, so that noise meets all.
// npm run bench -- ann [--n 100000] [--dim 512] [--queries 500] [--rounds 7] [--recall 0.985]
//   [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { configurePool } from '@likeness/faiss'
import { leastEffort, type LeastEffort } from '@likeness/shared/data/least-effort'
import { exactRows, median, recallOf } from '../measure.ts'
import { clusteredVectors } from './clustered-vectors.ts'
import {
  type Contender,
  hnswlibContender,
  ourContender,
  type Shape,
  usearchContender
} from './contenders.ts'
import { loadPeers } from './peers.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '100000' },
    dim: { type: 'string', default: '512' },
    queries: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '7' },
    recall: { type: 'string', default: '0.985' },
    json: { type: 'boolean', default: false }
  }
})
const shape: Shape = {
  dim: Number(args.dim),
  rows: Number(args.n),
  k: 10,
  m: 32,
  efConstruction: 100
}
const parts = 10
const say = (line: string) => args.json || console.log(line)
const seconds = () => performance.now() / 1000

async function build(
  contenders: Contender[],
  vectors: Float32Array
): Promise<Map<Contender, number>> {
  const took = new Map(contenders.map((contender) => [contender, 0]))
  for (let part = 0; part < parts; part++) {
    const [first, end] = [
      Math.floor((shape.rows * part) / parts),
      Math.floor((shape.rows * (part + 1)) / parts)
    ]
    for (const contender of contenders) {
      const add = contender.prepare(vectors.subarray(first * shape.dim, end * shape.dim), first)
      const startedAt = seconds()
      await add()
      took.set(contender, took.get(contender)! + seconds() - startedAt)
    }
  }
  return took
}

/** Finds and sets the smallest efSearch that reaches the requested recall; returns the recall. */
async function tune(
  contender: Contender,
  queries: Float32Array,
  truth: Set<number>[]
): Promise<LeastEffort> {
  const recallAt = async (ef: number) => {
    contender.setEf(ef)
    return recallOf(await contender.search(queries), truth)
  }
  const tuned = await leastEffort(recallAt, Number(args.recall), { least: shape.k + 1, most: 8192 })
  if (tuned === undefined) throw new Error(`${contender.name} does not reach recall ${args.recall}`)
  return tuned
}

async function measure(
  contenders: Contender[],
  queries: Float32Array
): Promise<Map<Contender, number[]>> {
  const rounds = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]))
  for (let round = 0; round < Number(args.rounds); round++) {
    for (const contender of contenders) {
      const startedAt = seconds()
      await contender.search(queries)
      rounds.get(contender)!.push(((seconds() - startedAt) * 1000 * shape.dim) / queries.length)
    }
  }
  return rounds
}

async function run(dir: string): Promise<void> {
  configurePool({ threads: 1 })
  const peers = loadPeers()
  const vectors = clusteredVectors({ seed: 1, stream: 0, count: shape.rows, dim: shape.dim })
  const queries = clusteredVectors({
    seed: 1,
    stream: 1,
    count: Number(args.queries),
    dim: shape.dim
  })
  const truth = await exactRows(vectors, queries, shape)
  const contenders = [
    ourContender(shape),
    hnswlibContender(peers, shape),
    usearchContender(peers, shape, dir)
  ]
  say(
    `building ${shape.rows} x ${shape.dim}, M ${shape.m}, efConstruction ${shape.efConstruction}, one thread each`
  )
  const buildTimes = await build(contenders, vectors)
  const tuned = new Map<Contender, LeastEffort>()
  for (const contender of contenders) tuned.set(contender, await tune(contender, queries, truth))
  const rounds = await measure(contenders, queries)
  const result: Record<string, { recall: number; msPerQuery: number; buildS: number }> = {}
  for (const contender of contenders) {
    const { effort, recall } = tuned.get(contender)!
    const ms = rounds.get(contender)!
    result[contender.name] = {
      recall,
      msPerQuery: Number(median(ms).toFixed(4)),
      buildS: Number(buildTimes.get(contender)!.toFixed(1))
    }
    say(
      `${contender.name}: efSearch ${effort}, recall@10 ${recall.toFixed(4)}, ms a query ${ms.map((each) => each.toFixed(3)).join(' ')}`
    )
  }
  const { ours, hnswlib, usearch } = result as Record<Contender['name'], (typeof result)[string]>
  const faster = Math.min(hnswlib!.msPerQuery, usearch!.msPerQuery) / ours!.msPerQuery
  say(
    `${faster.toFixed(2)} times the queries/s of the better peer; built in ${(ours!.buildS / Math.min(hnswlib!.buildS, usearch!.buildS)).toFixed(2)} of its time`
  )
  console.log(JSON.stringify(result))
}

const dir = await mkdtemp(join(tmpdir(), 'likeness-ann-'))
try {
  await run(dir)
} finally {
  await rm(dir, { recursive: true, force: true })
}
