// Figures of this machine, measured for some seconds with small indexes and the built-in model.
import { join } from 'node:path'
import { exactNeighbours, measureTrial, openTrial } from '@likeness/engine'
import { configurePool } from '@likeness/faiss'
import { seededNormal } from '@likeness/shared/data/random'
import { builtInDir, modelsDirOf } from '../model/model-folders.ts'
import { type MachineFigures, machine } from './constants.ts'

const [rows, dim, queries, k] = [5_000, 128, 50, 10]
const recall = 0.95
const pictures = 15
/** Processor milliseconds of a run on the machine of `constants.ts`, for its `embedMs`. */
const knownRunMs = 30.7
/** What the same search costs on the machine of `constants.ts`: figures are scaled by the quotient. */
const known = { graphMs: 0.17, flatMs: (rows * dim * machine.scanNs) / 1e6 }

function unitVectors(count: number, seed: number): Float32Array {
  const normal = seededNormal(seed)
  const vectors = Float32Array.from({ length: count * dim }, normal)
  for (let at = 0; at < vectors.length; at += dim) {
    const row = vectors.subarray(at, at + dim)
    const length = Math.hypot(...row)
    row.forEach((value, i) => (row[i] = value / length))
  }
  return vectors
}

async function searchCpuMs(method: 'FLAT' | 'HNSW32'): Promise<number> {
  const [vectors, asked] = [unitVectors(rows, 1), unitVectors(queries, 2)]
  const truth = await exactNeighbours(vectors, asked, { dim, metric: 'cosine', k })
  const trial = await openTrial({ method, metric: 'cosine', storage: 'f32', vectors, dim })
  try {
    const options = { wanted: recall, rescore: false }
    return (await measureTrial(trial, { queries: asked, dim, k, truth }, options)).cpuMs
  } finally {
    trial.close()
  }
}

/** Processor time of this process: other programs on the machine do not count. */
function processorMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

async function runMs(data: string | undefined): Promise<number> {
  const { createEmbedder, measureRun, prepareModel } = await import('@likeness/vision')
  const cacheDir = join(modelsDirOf(data), '.prepared')
  const model = await prepareModel({ modelDir: builtInDir, cacheDir })
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  try {
    return await measureRun(embedder, pictures, processorMs)
  } finally {
    await embedder.close()
  }
}

/** The addon and the model must be prepared. */
export async function measureMachine(data: string | undefined): Promise<MachineFigures> {
  configurePool({ threads: 1 })
  return {
    scanNs: (machine.scanNs * (await searchCpuMs('FLAT'))) / known.flatMs,
    graphMs: (machine.graphMs * (await searchCpuMs('HNSW32'))) / known.graphMs,
    embedMs: (machine.embedMs * (await runMs(data))) / knownRunMs
  }
}
