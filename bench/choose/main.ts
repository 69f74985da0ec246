// One table of what there is to choose from: metric x method x storage form, with recall, time,
// bytes a row and build time, on clustered vectors. docs/choosing.md shows it.
// npm run bench -- choose [--n 10000] [--dim 256] [--queries 100] [--recall 0.95] [--svg FOLDER]
//   [--json]
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { exactNeighbours } from '@likeness/engine'
import { configurePool } from '@likeness/faiss'
import { indexMethods, type Metric, metrics } from '@likeness/shared/contract/collection'
import { seededRandom } from '@likeness/shared/data/random'
import { formatTable } from '../../apps/cli/src/format-table.ts'
import { nameOf } from '../../apps/cli/src/tune/format-tune.ts'
import { type MethodFigures, storagesOf, tryIndex } from '../../apps/cli/src/tune/try-methods.ts'
import { clusteredVectors } from '../ann/clustered-vectors.ts'
import { round } from '../measure.ts'
import { renderChoice } from './draw-choice.ts'

const { values: args } = parseArgs({
  options: {
    n: { type: 'string', default: '10000' },
    dim: { type: 'string', default: '256' },
    queries: { type: 'string', default: '100' },
    recall: { type: 'string', default: '0.95' },
    svg: { type: 'string' },
    json: { type: 'boolean', default: false }
  }
})
const [dim, recall, k] = [Number(args.dim), Number(args.recall), 10]
const startedMs = performance.now()

/** Vectors of IP and L2 have lengths from .5 to 1.5, as of an embedder without normalising. */
function withLengths(vectors: Float32Array, seed: number): Float32Array {
  const random = seededRandom(seed)
  const out = vectors.slice()
  for (let at = 0; at < out.length; at += dim) {
    const length = 0.5 + random()
    for (let i = at; i < at + dim; i++) out[i]! *= length
  }
  return out
}

configurePool({ threads: 1 })
const rows = clusteredVectors({ seed: 1, stream: 0, count: Number(args.n), dim })
const asked = clusteredVectors({ seed: 1, stream: 1, count: Number(args.queries), dim })
const unit = { vectors: rows, queries: asked, dim }
const long = { vectors: withLengths(rows, 7), queries: withLengths(asked, 8), dim }

/** Bits are judged by what they stand for: the nearest by cosine. */
const truthOf = (metric: Metric) => (metric === 'hamming' ? 'cosine' : metric)

const figures: MethodFigures[] = []
for (const metric of metrics) {
  const sample = metric === 'IP' || metric === 'L2' ? long : unit
  const { vectors, queries } = sample
  const truth = await exactNeighbours(vectors, queries, { dim, metric: truthOf(metric), k })
  for (const method of indexMethods) {
    // Refused: a graph by inner product takes unit vectors only.
    if (metric === 'IP' && method === 'HNSW32') continue
    for (const storage of storagesOf(metric, dim)) {
      const found = await tryIndex({ method, metric, storage }, sample, { recall, k, truth })
      figures.push(...found)
      process.stderr.write(`${metric} ${nameOf(found[0]!)}\n`)
    }
  }
}
if (!args.json)
  console.log(
    formatTable(
      ['metric', 'index', 'budget', 'recall@10', 'cpu, ms', 'bytes a row', 'build, s'],
      figures.map((one) => [
        one.metric,
        nameOf(one),
        String(one.budget ?? '-'),
        one.recall.toFixed(3),
        one.cpuMs.toFixed(3),
        one.bytesARow.toFixed(0),
        one.buildS.toFixed(1)
      ])
    )
  )
if (args.svg !== undefined)
  for (const [name, svg] of Object.entries(renderChoice(figures)))
    await writeFile(join(args.svg, name), svg)
console.log(
  JSON.stringify({
    rows: Number(args.n),
    dim,
    recall,
    seconds: round((performance.now() - startedMs) / 1000, 0),
    figures: figures.map((one) => ({
      ...one,
      recall: round(one.recall, 4),
      msP50: round(one.msP50, 3),
      msP95: round(one.msP95, 3),
      cpuMs: round(one.cpuMs, 4),
      bytesARow: round(one.bytesARow, 1),
      buildS: round(one.buildS, 1)
    }))
  })
)
