// Content of an ingestion in the simulation. Each vector tells its ingestion, item and row, so that
// content is checked exactly.
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { type BatchItem, encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import type { Random } from './random.ts'

export const dim = 3
/** Profiles of one model. */
export const embeddings: readonly EmbeddingSpec[] = [0, 1, 2, 3].map((profile) => ({
  version: `simulated@1/profile@${profile}`,
  dim,
  unit: false
}))
/** Embedding of a new collection. */
export const embedding = embeddings[0]!

const profileOf = (version: string): number =>
  embeddings.findIndex((one) => one.version === version)

/**
 * Raw vectors are vectors without a profile. The result of a profile shows which profile computed
 * it.
 */
export const project = (values: readonly number[], version: string): number[] =>
  values.map((value, i) => value + (i % dim === 1 ? 1000 * profileOf(version) : 0))

export interface IngestionPlan {
  ingestion: string
  collectionId: string
  /** Short and unique number, first component of every vector. */
  number: number
  /** True: the batches are written before the log entry, and never afterwards. */
  given: boolean
  /** True: the log entry has the item lines, and embed workers write shared batches. */
  inline: boolean
  /** Embedding of the supplied vectors. */
  embedding: string
  /** Items by ordinal. */
  items: { id: string; rows: number; fails: boolean }[]
}

export interface PlanDraft
  extends Pick<IngestionPlan, 'ingestion' | 'collectionId' | 'number' | 'embedding'> {
  ids: readonly string[]
  givenShare: number
}

export function planIngestion(
  random: Random,
  { ids, givenShare, ...names }: PlanDraft
): IngestionPlan {
  return {
    ...names,
    given: random.chance(givenShare),
    inline: random.chance(0.6),
    items: ids.map((id) => ({ id, rows: 1 + random.below(2), fails: random.chance(0.1) }))
  }
}

/** Key of the picture of an item, which the collection has stored. */
export const pictureOf = ({ collectionId, ingestion }: IngestionPlan, ordinal: number): string =>
  collectionKeys(collectionId).image(ingestion, ordinal)

export const linesOf = (plan: IngestionPlan): ItemListLine[] =>
  plan.items.map(({ id }, ordinal) => ({
    ordinal,
    id,
    label: null,
    imageKey: pictureOf(plan, ordinal)
  }))

export const labelOf = (plan: IngestionPlan, ordinal: number): string => `${plan.number}.${ordinal}`

/**
 * Supplied vectors of another embedding than that of the collection are useless, because they
 * cannot be converted.
 */
export const failsIn = (plan: IngestionPlan, ordinal: number, version: string): boolean =>
  plan.items[ordinal]!.fails || (plan.given && plan.embedding !== version)

const rawVectorsOf = (plan: IngestionPlan, ordinal: number): number[] =>
  Array.from({ length: plan.items[ordinal]!.rows }, (_, row) => [plan.number, ordinal, row]).flat()

export const vectorsOf = (plan: IngestionPlan, ordinal: number, version: string): number[] =>
  project(rawVectorsOf(plan, ordinal), version)

function batchItem(plan: IngestionPlan, ordinal: number): BatchItem {
  const { id, rows, fails } = plan.items[ordinal]!
  const item = { ordinal, id, label: labelOf(plan, ordinal), imageKey: pictureOf(plan, ordinal) }
  if (fails)
    return { ...item, rows: [], failure: { code: 'image_corrupt', message: 'made to fail' } }
  return {
    ...item,
    rows: Array.from({ length: rows }, () => ({
      kind: 'whole' as const,
      box: [0, 0, 1, 1],
      score: 1,
      className: null
    }))
  }
}

/** Some ordinals of an ingestion. */
export interface PlanPart {
  plan: IngestionPlan
  ordinals: readonly number[]
}

function bodyOf(parts: readonly PlanPart[], version: string) {
  const listed = parts.flatMap(({ plan, ordinals }) =>
    ordinals.map((ordinal) => ({ plan, ordinal }))
  )
  const embedded = listed.filter(({ plan, ordinal }) => !plan.items[ordinal]!.fails)
  const { collectionId, given } = parts[0]!.plan
  const raw = given ? [] : embedded.flatMap(({ plan, ordinal }) => rawVectorsOf(plan, ordinal))
  return {
    header: {
      collectionId,
      embeddingVersion: version,
      dim,
      rawDim: given ? 0 : dim,
      items: listed.map(({ plan, ordinal }) => batchItem(plan, ordinal))
    },
    vectors: Float32Array.from(
      embedded.flatMap(({ plan, ordinal }) => vectorsOf(plan, ordinal, version))
    ),
    raw: Uint16Array.from(raw)
  }
}

/** Returns the batch of some ordinals in the form that an embed worker writes. */
export function embedBatch(part: PlanPart, version: string): Uint8Array {
  const { header, ...rows } = bodyOf([part], version)
  return encodeVectorBatch({ header: { ...header, ingestion: part.plan.ingestion }, ...rows })
}

/** Returns the shared batch of ingestions of one collection. */
export function embedShared(
  parts: readonly (PlanPart & { revision: number })[],
  version: string
): Uint8Array {
  const { header, ...rows } = bodyOf(parts, version)
  const counts = parts.map(({ plan: { ingestion }, ordinals, revision }) => ({
    ...{ ingestion, revision },
    items: ordinals.length
  }))
  return encodeVectorBatch({ header: { ...header, parts: counts }, ...rows })
}
