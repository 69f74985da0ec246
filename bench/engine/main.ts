// Compares our engine with embedded LanceDB in a single run: a writer in this process, a reader in
// a second, a directory between them, no HTTP. Both insert the same blocks in turns and are
// searched in turns. Each is tuned to the requested recall@10, LanceDB over the given kinds of
// index.
// npm run bench -- engine [--n 100000] [--dim 512] [--queries 200] [--rounds 7] [--recall 0.98]
//   [--writes 30] [--lance hnswSq,ivfFlat,ivfPq] [--json]
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { seededRandom } from '@likeness/shared/data/random'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { exactRows, median, percentile, round, timed } from '../measure.ts'
import { peerVersion } from '../peer.ts'
import { bytesUnder } from './bytes-under.ts'
import { openLanceSide } from './lance-side.ts'
import { openOurSide } from './our-side.ts'
import { type SecondProcess, startSecondProcess } from './second-process.ts'
import type { Side } from './side.ts'
import { searchOnce, type TunedSide, tuneSide } from './tune-side.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '100000' },
    dim: { type: 'string', default: '512' },
    queries: { type: 'string', default: '200' },
    rounds: { type: 'string', default: '7' },
    recall: { type: 'string', default: '0.98' },
    writes: { type: 'string', default: '30' },
    lance: { type: 'string', default: 'hnswSq,ivfFlat,ivfPq' },
    json: { type: 'boolean', default: false }
  }
})
const [n, dim, rounds, k] = [Number(args.n), Number(args.dim), Number(args.rounds), 10]
const rowsPerInsert = 4000
const deletedShare = 0.1
const say = (line: string) => args.json || console.log(line)

interface Contender {
  side: Side
  reader: SecondProcess
  dir: string
}

async function insertAll(
  contenders: Contender[],
  vectors: Float32Array
): Promise<Map<Contender, number>> {
  const tookMs = new Map(contenders.map((contender) => [contender, 0]))
  for (let first = 0; first < n; first += rowsPerInsert) {
    const block = vectors.slice(first * dim, Math.min(n, first + rowsPerInsert) * dim)
    for (const contender of contenders)
      tookMs.set(
        contender,
        tookMs.get(contender)! +
          (await timed(() => contender.side.insert({ first, vectors: block })))
      )
  }
  return tookMs
}

/**
 * Searches in turns. Returns medians and 95th percentiles of the milliseconds of all queries, and
 * the recall of the last round.
 */
async function searchInTurns(
  contenders: Contender[],
  tuned: Map<Contender, TunedSide>,
  queries: Float32Array,
  truth: Set<number>[]
) {
  const found = new Map(
    contenders.map((contender) => [
      contender,
      { ms: [] as number[], recall: 0, rows: new Int32Array() as Int32Array, rssBytes: 0 }
    ])
  )
  for (let i = 0; i < rounds; i++) {
    for (const contender of contenders) {
      const searched = await searchOnce(contender.reader, {
        queries,
        k,
        effort: tuned.get(contender)!.effort,
        truth
      })
      const all = found.get(contender)!
      found.set(contender, { ...searched, ms: [...all.ms, ...searched.ms] })
    }
  }
  return found
}

/** Measures the time from just before a write until the second process finds the row. */
async function seeWrites(
  contenders: Contender[],
  tuned: Map<Contender, TunedSide>
): Promise<Map<Contender, number[]>> {
  const seenMs = new Map<Contender, number[]>(contenders.map((contender) => [contender, []]))
  const vectors = clusteredVectors({ seed: 1, stream: 2, count: Number(args.writes), dim })
  for (let i = 0; i < Number(args.writes); i++) {
    const vector = vectors.slice(i * dim, (i + 1) * dim)
    for (const contender of contenders) {
      const seeing = contender.reader.ask({
        ask: 'see',
        vector,
        row: n + i,
        effort: tuned.get(contender)!.effort
      })
      const startedNs = process.hrtime.bigint()
      await contender.side.insert({ first: n + i, vectors: vector })
      seenMs.get(contender)!.push(Number((await seeing).seenAtNs! - startedNs) / 1e6)
    }
  }
  return seenMs
}

function chooseDeleted(): { rows: number[]; bitmap: Uint8Array } {
  const random = seededRandom(7)
  const rows = Array.from({ length: n }, (_, row) => row).filter(() => random() < deletedShare)
  const bitmap = new Uint8Array(Math.ceil(n / 8))
  for (const row of rows) bitmap[row >> 3]! |= 1 << (row & 7)
  return { rows, bitmap }
}

async function openContenders(dir: string): Promise<Contender[]> {
  const ours = await openOurSide({ dir, dim, k })
  const lance = await openLanceSide({ dir, dim, k, rows: n, kinds: args.lance.split(',') })
  return [ours, lance].map((side) => ({
    side,
    reader: startSecondProcess(),
    dir: join(dir, side.name === 'ours' ? 'store' : 'lancedb')
  }))
}

async function run(dir: string): Promise<void> {
  const vectors = clusteredVectors({ seed: 1, stream: 0, count: n, dim })
  const queries = clusteredVectors({ seed: 1, stream: 1, count: Number(args.queries), dim })
  const truth = await exactRows(vectors, queries, { dim, k })
  const contenders = await openContenders(dir)
  try {
    say(`inserting ${n} x ${dim}, ${rowsPerInsert} rows at a time`)
    const insertMs = await insertAll(contenders, vectors)
    const tuned = new Map<Contender, TunedSide>()
    for (const contender of contenders) {
      tuned.set(
        contender,
        await tuneSide(contender, { dim, queries, k, truth, wanted: Number(args.recall), say })
      )
      await contender.side.tidy()
      await contender.reader.ask({ ask: 'refresh' })
    }
    const bytes = new Map<Contender, Record<string, number>>()
    for (const contender of contenders) bytes.set(contender, await bytesUnder(contender.dir))
    const searched = await searchInTurns(contenders, tuned, queries, truth)
    const deleted = chooseDeleted()
    const deleteMs = new Map<Contender, number>()
    for (const contender of contenders) {
      deleteMs.set(contender, await timed(() => contender.side.remove(deleted.rows)))
      await contender.reader.ask({ ask: 'refresh' })
    }
    const left = await searchInTurns(
      contenders,
      tuned,
      queries,
      await exactRows(vectors, queries, { dim, k, deleted: deleted.bitmap })
    )
    const seenMs = await seeWrites(contenders, tuned)
    const gone = new Set(deleted.rows)
    const results = contenders.map((contender) => {
      const [before, after, { index, effort, buildMs }] = [
        searched.get(contender)!,
        left.get(contender)!,
        tuned.get(contender)!
      ]
      const insertS = insertMs.get(contender)! / 1000
      return [
        contender.side.name,
        {
          insertRowsPerS: Math.round(n / insertS),
          indexS: round(buildMs / 1000, 1),
          rowsPerSIndexed: Math.round(n / (insertS + buildMs / 1000)),
          index,
          effort,
          recall: round(before.recall, 4),
          msP50: round(median(before.ms), 3),
          msP95: round(percentile(before.ms, 0.95), 3),
          readerMiB: Math.round(before.rssBytes / 2 ** 20),
          deleted: {
            rows: deleted.rows.length,
            deleteS: round(deleteMs.get(contender)! / 1000, 2),
            recall: round(after.recall, 4),
            msP50: round(median(after.ms), 3),
            msP95: round(percentile(after.ms, 0.95), 3),
            resurrected: after.rows.filter((row) => gone.has(row)).length
          },
          diskBytes: bytes.get(contender)!,
          seenMs: {
            p50: round(median(seenMs.get(contender)!), 1),
            p95: round(percentile(seenMs.get(contender)!, 0.95), 1)
          }
        }
      ] as const
    })
    for (const [name, result] of results) say(`${name}: ${JSON.stringify(result, null, 1)}`)
    console.log(
      JSON.stringify({
        rows: n,
        dim,
        wantedRecall: Number(args.recall),
        lancedbVersion: peerVersion('@lancedb/lancedb'),
        ...Object.fromEntries(results)
      })
    )
  } finally {
    for (const { side, reader } of contenders) {
      reader.stop()
      await side.close()
    }
  }
}

const dir = await mkdtemp(join(tmpdir(), 'likeness-engine-bench-'))
try {
  await run(dir)
} finally {
  await rm(dir, { recursive: true, force: true })
}
