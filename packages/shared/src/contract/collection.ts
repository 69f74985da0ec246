// Definition of a collection: name, embedding, metric, index method and settings, as stored in
// manifests and sent over HTTP.
import { z } from 'zod'
import { calibratedThresholdSchema, thresholdSchema } from './calibrated-threshold.ts'
import { partSchema, partsDim, partsSchema, weightSchema } from './embedding-parts.ts'
import {
  answerSettingsSchema,
  builtInProfiles,
  enrolmentSchema,
  lookSchema,
  presets
} from './picture-settings.ts'
import { findStorageForm, storageText, type VectorStorage } from './storage-forms.ts'
import { fromStored } from './stored-names.ts'

export const collectionNameSchema = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}$/,
    'a name is 1-63 of a-z 0-9 . _ - and starts with a letter or digit'
  )

const mostDenseValues = 4096
/** Upper bound, exclusive, of the indices of sparse vectors. They are 32-bit numbers. */
export const mostSparseDim = 2 ** 32

/** Fixed at creation and enforced: batches and queries of another version are refused. */
export const embeddingSchema = z
  .strictObject({
    /** `${model}@${version}/${profile}@${profileVersion}` */
    version: z.string().min(1).max(200),
    /**
     * Number of values of a vector. For sparse vectors: the upper bound, exclusive, of the indices.
     */
    dim: z.number().int().min(1).max(mostSparseDim),
    /** Whether every row has unit length. */
    unit: z.boolean(),
    /** Vectors are {indices, values}. They list only the values that are not zero. */
    sparse: z.literal(true).optional(),
    /**
     * Parts of a row, one behind the other, each of the length 1 / sqrt(number of parts). A search
     * has a weight for each. Absent: a row is a whole, without weights.
     */
    parts: partsSchema.optional()
  })
  .refine(({ dim, sparse }) => sparse === true || dim <= mostDenseValues, {
    path: ['dim'],
    message: `a dense vector has at most ${mostDenseValues} values`
  })
  .refine(({ parts, unit, sparse }) => parts === undefined || (unit && sparse !== true), {
    path: ['parts'],
    message: 'parts are for dense vectors of unit length'
  })
  .refine(({ parts, dim }) => parts === undefined || partsDim(parts) === dim, {
    path: ['parts'],
    message: 'the values of the parts add up to dim'
  })
export type EmbeddingSpec = z.infer<typeof embeddingSchema>

/**
 * The form in which clients write it. With `sparse` the fields `dim` (then 2^32) and `unit` (then
 * true) may be left out; with `parts` too (the sum of the parts, and true), and a part's `weight`
 * (then 1).
 */
export const givenEmbeddingSchema = z
  .object({
    ...embeddingSchema.shape,
    dim: embeddingSchema.shape.dim.optional(),
    unit: z.boolean().optional(),
    sparse: z.boolean().optional(),
    parts: z.array(partSchema.extend({ weight: weightSchema.default(1) })).optional()
  })
  .transform((given, ctx): EmbeddingSpec => {
    const { version, sparse = false, parts } = given
    const absent = {
      ...(sparse && { dim: mostSparseDim, unit: true }),
      ...(parts !== undefined && { dim: partsDim(parts), unit: true })
    }
    const parsed = embeddingSchema.safeParse({
      version,
      dim: given.dim ?? absent.dim,
      unit: given.unit ?? absent.unit,
      ...(sparse && { sparse }),
      ...(parts !== undefined && { parts })
    })
    if (parsed.success) return parsed.data
    for (const { path, message } of parsed.error.issues)
      ctx.addIssue({ code: 'custom', path, message })
    return z.NEVER
  })

export const metrics = ['IP', 'L2', 'cosine', 'hamming'] as const
export type Metric = (typeof metrics)[number]
export const indexMethods = ['FLAT', 'IVF', 'HNSW32'] as const
export type IndexMethod = (typeof indexMethods)[number]

const caseless = <T extends string>(values: readonly T[]) =>
  z.string().transform((text, ctx): T => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase())
    if (found !== undefined) return found
    ctx.addIssue({ code: 'custom', message: `one of ${values.join(', ')}` })
    return z.NEVER
  })
const isStorage = (text: string): text is VectorStorage => findStorageForm(text) !== undefined
export const storageSchema = z.string().transform((text, ctx): VectorStorage => {
  const storage = text.toLowerCase()
  if (isStorage(storage)) return storage
  ctx.addIssue({ code: 'custom', message: `${storageText}, for example pq64` })
  return z.NEVER
})
export const metricSchema = caseless(metrics)
export const indexMethodSchema = caseless(indexMethods)

export const searchBudgetSchema = z.number().int().min(1).max(100_000)

export const collectionSettingsSchema = z.strictObject({
  /** efSearch for HNSW32, nprobe for IVF; absent: max(64, 4k) or max(8, sqrt(nlist)). */
  search_budget: searchBudgetSchema.optional(),
  /**
   * Recall@10 of searches without a budget. Each sealed segment gets the smallest effort that
   * reaches this recall on queries near its own rows.
   */
  target_recall: z.number().min(0.5).max(0.9999).optional(),
  /**
   * Lowest score of a hit that is answered. With a `cohort_weight` the margin is compared instead.
   */
  score_thres: thresholdSchema.optional(),
  /** Chosen by `likeness calibrate`. In use without a `score_thres`, while it fits. */
  calibrated_threshold: calibratedThresholdSchema.optional(),
  /**
   * With hamming: a value above the threshold becomes a 1. Absent: 0, so the sign decides. Below 1,
   * so that bits written as 0 and 1 stay the same.
   */
  hamming_threshold: z.number().min(0).lt(1).optional(),
  /**
   * Number of rows from which a segment is sealed with the configured method. Smaller segments are
   * searched exactly.
   */
  seal_threshold: z.number().int().min(8).max(5_000_000).default(20_000),
  /**
   * A replica that has loaded the collection keeps it in memory, even when the memory is needed for
   * others.
   */
  pinned: z.boolean().default(false),
  /**
   * With IVF: replicas map the inverted lists of sealed segments from their disk instead of reading
   * them into memory.
   */
  on_disk: z.boolean().default(false),
  /**
   * Days for which raw vectors are kept, of which another projection is made and cells are compared.
   * Absent: as long as the collection.
   */
  raw_vector_days: z.number().int().min(0).max(36_500).optional(),
  /** Uploaded pictures of deleted and replaced items stay. */
  keep_pictures: z.boolean().default(false),
  /** The built-in profile that filled in the settings that were left out. */
  profile: z.enum(builtInProfiles).default('general'),
  ...enrolmentSchema.shape,
  ...lookSchema.shape,
  ...answerSettingsSchema.shape
})
export type CollectionSettings = z.infer<typeof collectionSettingsSchema>

const { profile: _profile, ...settable } = collectionSettingsSchema.shape
type Given<S extends z.ZodRawShape> = {
  [K in keyof S]: S[K] extends z.ZodDefault<infer T> ? z.ZodOptional<T> : S[K]
}
const noDefaults: Record<string, z.ZodType> = Object.fromEntries(
  Object.entries(settable).map(([name, schema]) => [
    name,
    schema instanceof z.ZodDefault ? schema.unwrap().optional() : schema
  ])
)
/**
 * Settings of a creation request. A setting that is left out stays absent, so that the value of a
 * built-in profile or the default takes its place.
 */
export const givenSettingsSchema = z.strictObject(noDefaults as Given<typeof settable>)

const {
  search_budget,
  target_recall,
  score_thres,
  seal_threshold,
  pinned,
  raw_vector_days,
  keep_pictures
} = collectionSettingsSchema.shape
const {
  calibrated_threshold,
  max_objects,
  query_subjects,
  whole,
  query_views,
  tiles,
  detect_tiles,
  nms_iou,
  exclude_same,
  cohort_weight,
  rerank,
  weights
} = collectionSettingsSchema.shape
/**
 * Settings that may change after creation, because no vector depends on them. Absent: the setting
 * stays. null: the setting returns to the value of the collection's built-in profile, or to the
 * default.
 */
export const settingsChangeSchema = z.strictObject({
  search_budget: search_budget.nullable(),
  /** Applies to segments that are written from then on. A compaction writes all of them. */
  target_recall: target_recall.nullable(),
  score_thres: score_thres.nullable(),
  calibrated_threshold: calibrated_threshold.nullable(),
  seal_threshold: seal_threshold.unwrap().nullable().optional(),
  pinned: pinned.unwrap().nullable().optional(),
  /** Raw vectors that are gone do not come back. */
  raw_vector_days: raw_vector_days.nullable(),
  /** Pictures that are gone do not come back. */
  keep_pictures: keep_pictures.unwrap().nullable().optional(),
  max_objects: max_objects.nullable(),
  query_subjects: query_subjects.unwrap().nullable().optional(),
  whole: whole.unwrap().nullable().optional(),
  query_views: query_views.unwrap().nullable().optional(),
  tiles: tiles.unwrap().nullable().optional(),
  detect_tiles: detect_tiles.unwrap().nullable().optional(),
  nms_iou: nms_iou.nullable(),
  exclude_same: exclude_same.unwrap().nullable().optional(),
  cohort_weight: cohort_weight.unwrap().nullable().optional(),
  rerank: rerank.unwrap().nullable().optional(),
  weights: weights.nullable()
})
export type SettingsChange = z.infer<typeof settingsChangeSchema>

export function changeSettings(
  settings: CollectionSettings,
  change: SettingsChange
): CollectionSettings {
  const given = Object.entries({ ...settings, ...change }).filter(([, value]) => value !== null)
  return collectionSettingsSchema.parse({
    ...presets[settings.profile],
    ...Object.fromEntries(given)
  })
}

/** A collection as it is stored. */
export const storedSpecSchema = z.strictObject({
  name: collectionNameSchema,
  incarnation: z.string(),
  createdAtMs: z.number(),
  embedding: embeddingSchema,
  metric: z.enum(metrics),
  method: z.enum(indexMethods),
  storage: storageSchema.default('f32'),
  /** Hits of encoded segments get the score of their full vectors, which replicas keep on disk. */
  rescore: z.boolean().default(false),
  settings: collectionSettingsSchema
})
export const collectionSpecSchema = storedSpecSchema.transform(fromStored)
export type CollectionSpec = z.infer<typeof collectionSpecSchema>
const {
  incarnation: _incarnation,
  createdAtMs: _createdAtMs,
  ...draftShape
} = storedSpecSchema.shape
export const draftSchema = z.object(draftShape)
/** The fields that a caller gives at creation. */
export type CollectionDraft = z.input<typeof draftSchema>
