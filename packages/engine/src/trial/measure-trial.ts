// Recall and time of a trial index, at the least budget that reaches a recall.
import type { Metric } from '@likeness/shared/contract/collection'
import { leastEffort } from '@likeness/shared/data/least-effort'
import { createSegmentIndex } from '../vector-index/open-index.ts'
import { toBits } from '../vector-index/bits.ts'
import { indexMetric } from '../vector-index/segment-config.ts'
import type { Trial } from './open-trial.ts'

/** Rows of the best k of each query. A row that is as near as the last of them counts too. */
export type Neighbours = readonly ReadonlySet<number>[]

export interface TrialQueries {
  /** [queries, dim] */
  queries: Float32Array
  dim: number
  k: number
  truth: Neighbours
}

export interface TrialFigures {
  rescore: boolean
  /** null: the method has no budget. */
  budget: number | null
  recall: number
  /** false: no budget reaches the wanted recall. Then these are the figures of the best recall. */
  reached: boolean
  msP50: number
  msP95: number
  /** Processor time of a search, in milliseconds: other programs on the machine do not count. */
  cpuMs: number
}

/** Rows beyond k that may be as near as row k. Bits have many ties. */
const tiesLooked = 100
/** Part of the best recall that a budget must have where no budget reaches the wanted one. */
const nearlyBest = 0.995

/** Searches exactly over the full vectors. */
export async function exactNeighbours(
  vectors: Float32Array,
  queries: Float32Array,
  { dim, metric, k }: { dim: number; metric: Metric; k: number }
): Promise<Neighbours> {
  const isBits = metric === 'hamming'
  const flat = createSegmentIndex({
    config: { index: 'flat', storage: isBits ? 'bits' : 'f32' },
    dim,
    metric: indexMetric(metric)
  })
  try {
    await flat.add(isBits ? toBits(vectors, 0) : vectors)
    const wanted = isBits ? Math.min(k + tiesLooked, flat.ntotal) : Math.min(k, flat.ntotal)
    const { ids, distances } = await flat.search(isBits ? toBits(queries, 0) : queries, {
      k: wanted
    })
    return Array.from({ length: queries.length / dim }, (_, q) => {
      const own = ids.subarray(q * wanted, (q + 1) * wanted)
      const last = distances[q * wanted + Math.min(k, wanted) - 1]!
      return new Set(own.filter((_, i) => i < k || distances[q * wanted + i]! <= last))
    })
  } finally {
    flat.close()
  }
}

/** `wanted`: the recall. Queries run one after another, so that each has the machine for itself. */
export async function measureTrial(
  trial: Trial,
  { queries, dim, k, truth }: TrialQueries,
  { wanted, rescore }: { wanted: number; rescore: boolean }
): Promise<TrialFigures> {
  const searchAll = async (budget: number) => {
    const ms: number[] = []
    const cpu = process.cpuUsage()
    let [right, all] = [0, 0]
    for (const [q, near] of truth.entries()) {
      const startedMs = performance.now()
      const ids = await trial.search(queries.subarray(q * dim, (q + 1) * dim), {
        k,
        budget,
        rescore
      })
      ms.push(performance.now() - startedMs)
      all += Math.min(k, near.size)
      right += ids.reduce((sum, id) => sum + (near.has(id) ? 1 : 0), 0)
    }
    const { user, system } = process.cpuUsage(cpu)
    const cpuMs = (user + system) / 1000 / truth.length
    return { recall: right / all, cpuMs, ms: ms.sort((a, b) => a - b) }
  }
  const recallAt = async (budget: number) => (await searchAll(budget)).recall
  const bounds = { least: trial.method === 'IVF' ? 1 : k, most: trial.mostBudget }
  const hasBudget = trial.method !== 'FLAT'
  const best = await recallAt(trial.mostBudget)
  const goal = best >= wanted ? wanted : best * nearlyBest
  const found = hasBudget ? await leastEffort(recallAt, goal, bounds) : undefined
  const budget = found?.effort ?? trial.mostBudget
  const { recall, cpuMs, ms } = await searchAll(budget)
  return {
    rescore,
    budget: hasBudget ? budget : null,
    recall,
    reached: recall >= wanted,
    msP50: ms[Math.floor(ms.length / 2)]!,
    msP95: ms[Math.floor(ms.length * 0.95)]!,
    cpuMs
  }
}
