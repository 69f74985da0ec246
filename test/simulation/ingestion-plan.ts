// What an ingestion of the simulation contains. Vectors say which row of which item of which ingestion they are, so that content is checked exactly.
import type { BatchItem } from '@likeness/shared/contract/vector-batch'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import type { Random } from './random.ts'

export const embedding = { version: 'simulated@1/none@1', dim: 3, unit: false }

export interface IngestionPlan {
  ingestion: string
  incarnation: string
  /** Short and unique, first component of every vector. */
  number: number
  /** Its batches are written before its log entry, and by nobody afterwards. */
  given: boolean
  /** By ordinal. */
  items: { id: string; rows: number; fails: boolean }[]
}

export function planIngestion(random: Random, { ids, ...names }: { ingestion: string; incarnation: string; number: number; ids: readonly string[] }): IngestionPlan {
  return { ...names, given: random.chance(0.2), items: ids.map((id) => ({ id, rows: 1 + random.below(2), fails: random.chance(0.1) })) }
}

export const labelOf = (plan: IngestionPlan, ordinal: number): string => `${plan.number}.${ordinal}`

export function vectorsOf(plan: IngestionPlan, ordinal: number): number[] {
  return Array.from({ length: plan.items[ordinal]!.rows }, (_, row) => [plan.number, ordinal, row]).flat()
}

function batchItem(plan: IngestionPlan, ordinal: number): BatchItem {
  const { id, rows, fails } = plan.items[ordinal]!
  const item = { ordinal, id, label: labelOf(plan, ordinal), imageKey: null }
  if (fails) return { ...item, rows: [], failure: { code: 'image_corrupt', message: 'made to fail' } }
  return { ...item, rows: Array.from({ length: rows }, () => ({ kind: 'whole' as const, box: [0, 0, 1, 1], score: 1, className: null })) }
}

/** The batch of some ordinals, as an embed worker would write it. */
export function embedBatch(plan: IngestionPlan, ordinals: readonly number[]): Uint8Array {
  const items = ordinals.map((ordinal) => batchItem(plan, ordinal))
  const vectors = Float32Array.from(ordinals.filter((ordinal) => !plan.items[ordinal]!.fails).flatMap((ordinal) => vectorsOf(plan, ordinal)))
  const header = { incarnation: plan.incarnation, ingestion: plan.ingestion, embeddingVersion: embedding.version, dim: embedding.dim, rawDim: 0, items }
  return encodeVectorBatch({ header, vectors, raw: new Uint16Array(0) })
}
