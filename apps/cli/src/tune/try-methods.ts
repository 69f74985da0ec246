// Compares methods and storage forms on a sample of the vectors, with indexes of the engine in this
// process. They are in memory only, so nothing is left behind.
import {
  exactNeighbours,
  mayRescore,
  measureTrial,
  type Neighbours,
  openTrial,
  type TrialFigures,
  type TrialSpec
} from '@likeness/engine'
import { indexMethods, type Metric } from '@likeness/shared/contract/collection'
import { bytesAVector, type IndexShape } from '@likeness/shared/contract/index-memory'
import type { VectorStorage } from '@likeness/shared/contract/storage-forms'
import { productForm } from '../product-form.ts'
import type { SampledRows } from './sampled-rows.ts'

export interface MethodFigures extends Omit<IndexShape, 'dim'>, TrialFigures {
  bytesARow: number
  buildS: number
}

const unitPrecision = 1e-3

/** An inner product graph takes unit vectors only. */
const isUnit = ({ vectors, dim }: SampledRows): boolean =>
  Math.abs(Math.hypot(...vectors.subarray(0, dim)) - 1) < unitPrecision

export interface MethodTrials {
  metric: Metric
  recall: number
  k: number
  /** Called after each index. */
  onFigures: (figures: MethodFigures) => void
}

/** Builds one index and measures it, without and with full vectors where these may help. */
export async function tryIndex(
  spec: TrialSpec,
  { vectors, queries, dim }: SampledRows,
  { recall, k, truth }: { recall: number; k: number; truth: Neighbours }
): Promise<MethodFigures[]> {
  const trial = await openTrial({ ...spec, vectors, dim })
  const all: MethodFigures[] = []
  try {
    for (const rescore of mayRescore(spec) ? [false, true] : [false]) {
      const asked = { queries, dim, k, truth }
      const figures = await measureTrial(trial, asked, { wanted: recall, rescore })
      const bytesARow = bytesAVector({ ...spec, dim })
      all.push({ ...spec, ...figures, bytesARow, buildS: trial.buildS })
    }
  } finally {
    trial.close()
  }
  return all
}

export const storagesOf = (metric: Metric, dim: number): VectorStorage[] =>
  metric === 'hamming' ? ['f32'] : ['f32', 'f16', 'sq8', productForm(dim)]

export async function tryMethods(
  sample: SampledRows,
  { metric, recall, k, onFigures }: MethodTrials
): Promise<MethodFigures[]> {
  const { vectors, queries, dim } = sample
  const truth = await exactNeighbours(vectors, queries, { dim, metric, k })
  const methods = indexMethods.filter(
    (method) => method !== 'HNSW32' || metric !== 'IP' || isUnit(sample)
  )
  const all: MethodFigures[] = []
  for (const method of methods)
    for (const storage of storagesOf(metric, dim)) {
      const found = await tryIndex({ method, metric, storage }, sample, { recall, k, truth })
      found.forEach(onFigures)
      all.push(...found)
    }
  return all
}
