// Every answer, by its name in the OpenAPI document. The compiler compares the answers of the
// contract with the answers of the routes.
import { z } from 'zod'
import { rate, verdicts } from '@likeness/shared/confidence/calibration'
import { embeddingSchema } from '@likeness/shared/contract/collection'
import { boxSchema } from '@likeness/shared/contract/embedder'
import { weightsSchema } from '@likeness/shared/contract/embedding-parts'
import type {
  CollectionAnswer,
  CollectionListAnswer
} from '@likeness/shared/contract/http/collections'
import type { CompareAnswer } from '@likeness/shared/contract/http/compare'
import type { ItemAnswer } from '@likeness/shared/contract/http/items'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { Problem } from '@likeness/shared/contract/http/problem'
import type { HitAnswer, SearchAnswer } from '@likeness/shared/contract/http/search'
import { storedMetadataSchema } from '@likeness/shared/contract/item-list'
import { failedItemSchema, jobStates } from '@likeness/shared/contract/job'
import { profileSchema } from '@likeness/shared/contract/profile'
import { calibrationSchema, thresholdAnswerSchema } from './calibration-schema.ts'
import { statusSchema, troubleSchema } from './status-schema.ts'
import { batchRowSchema } from '@likeness/shared/contract/vector-batch'

const count = z.number().int().min(0)
const links = { image: z.string(), thumbnail: z.string() }

const segmentSchema = z.strictObject({
  id: z.string(),
  index: z.string(),
  storage: z.string(),
  tuned: z.strictObject({ budget: z.number(), recall: z.number() }).nullable(),
  rows: count,
  deleted: count
})
const settingsSchema = z.record(z.string(), z.unknown())
const collectionSchema = z.strictObject({
  name: z.string(),
  aliases: z.array(z.string()),
  incarnation: z.string(),
  index_method: z.string(),
  metric: z.string(),
  storage: z.string(),
  rescore: z.boolean(),
  embedding: embeddingSchema,
  settings: settingsSchema,
  weights: weightsSchema.nullable(),
  created_at: z.iso.datetime(),
  seq: count,
  items: count,
  rows: count,
  segments: z.array(segmentSchema),
  open_jobs: count,
  calibration: calibrationSchema,
  threshold: thresholdAnswerSchema,
  loaded: z.strictObject({ bytes: count, pinned: z.boolean() }).nullable(),
  troubles: z.array(troubleSchema),
  reprojection: z
    .strictObject({
      revision: count,
      embedding: embeddingSchema,
      state: z.enum(['running', 'applied', 'raw_vectors_missing', 'data_corrupt'])
    })
    .nullable()
}) satisfies z.ZodType<CollectionAnswer>

const collectionListSchema = z.strictObject({
  collections: z.array(collectionSchema),
  damaged: z.array(
    z.strictObject({ name: z.string(), incarnation: z.string().nullable(), detail: z.string() })
  ),
  next: z.string().nullable()
}) satisfies z.ZodType<CollectionListAnswer>

const hitSchema = z.strictObject({
  id: z.string(),
  label: z.string().nullable(),
  metadata: storedMetadataSchema,
  score: z.number(),
  confidence: rate.nullable(),
  margin: z.number().optional(),
  rerank_score: z.number().optional(),
  distance: z.number(),
  metric: z.string(),
  box: boxSchema,
  ...links
}) satisfies z.ZodType<HitAnswer>

const objectSchema = z.strictObject({
  kind: z.enum(['subject', 'whole', 'tile', 'given', 'vector', 'examples']),
  box: boxSchema.nullable(),
  class: z.string().nullable(),
  detector_score: z.number().nullable(),
  verdict: z.enum(verdicts),
  hits: z.array(hitSchema)
})
const searchSchema = z.strictObject({
  collection: z.string(),
  index_seq: count,
  verdict: z.enum(verdicts),
  objects: z.array(objectSchema),
  hits: z.array(hitSchema),
  picture: z.strictObject({ width: z.number(), height: z.number() }).nullable(),
  took_ms: z.strictObject({ embed: z.number(), search: z.number(), total: z.number() })
}) satisfies z.ZodType<SearchAnswer>

const comparedSchema = z.strictObject({ width: z.number(), height: z.number(), box: boxSchema })
const compareSchema = z.strictObject({
  collection: z.string(),
  id: z.string(),
  query: comparedSchema,
  item: comparedSchema,
  grid: count,
  strengths: z.array(z.array(z.number())),
  matches: z.array(z.strictObject({ query_cell: count, item_cell: count, strength: z.number() })),
  index_seq: count,
  took_ms: z.number()
}) satisfies z.ZodType<CompareAnswer>

const jobSchema = z.strictObject({
  id: z.string(),
  collection: z.string(),
  incarnation: z.string(),
  state: z.enum(jobStates),
  source: z.string(),
  revision: count,
  counts: z.strictObject({
    total: count,
    pending: count,
    indexed: count,
    superseded: count,
    failed: count,
    cancelled: count.optional()
  }),
  waiting: z
    .strictObject({
      code: z.string(),
      detail: z.string(),
      since: z.iso.datetime().optional(),
      collection_embedding: z.string().optional(),
      embedder_embeddings: z.array(z.string()).optional()
    })
    .nullable(),
  failed: z.array(failedItemSchema),
  seq: count.nullable(),
  created_at: z.iso.datetime(),
  finished_at: z.iso.datetime().nullable(),
  result_lost: z.literal(true).optional()
}) satisfies z.ZodType<JobAnswer>

const { className, ...rowFields } = batchRowSchema.shape
const itemSchema = z.strictObject({
  id: z.string(),
  label: z.string().nullable(),
  metadata: storedMetadataSchema,
  revision: count,
  rows: z.array(z.strictObject({ ...rowFields, class: className })),
  ...links,
  index_seq: count
}) satisfies z.ZodType<ItemAnswer>

const problemSchema = z.looseObject({
  type: z.string(),
  title: z.string(),
  status: z.number().int(),
  code: z.string(),
  detail: z.string(),
  request_id: z.string().optional()
}) satisfies z.ZodType<Problem>

const aliasSchema = z.strictObject({ alias: z.string(), collection: z.string() })
const committed = { deleted: z.literal(true), revision: count, seq: count }
const outcome = { revision: count, seq: count }
const applying = { name: z.string(), profile: z.string(), embedding: embeddingSchema }
const logged = { applied: z.literal(false), revision: count }

export const answerSchemas = {
  Accepted: z.strictObject({
    job: z.string(),
    collection: z.string(),
    revision: count,
    total: count,
    items: z.array(z.strictObject({ ordinal: count, id: z.string() })).optional()
  }),
  AliasList: z.strictObject({ aliases: z.array(aliasSchema) }),
  AliasRemoved: z.strictObject({ alias: z.string(), removed: z.literal(true) }),
  AliasSet: aliasSchema,
  Collection: collectionSchema,
  Changed: z.strictObject({
    name: z.string(),
    changed: z.literal(true),
    settings: settingsSchema,
    ...outcome
  }),
  Compacted: z.strictObject({ compacted: z.literal(true), ...outcome }),
  CollectionList: collectionListSchema,
  CompareAnswer: compareSchema,
  Deleted: z.strictObject({ id: z.string(), ...committed }),
  DeletedItems: z.strictObject({
    ...committed,
    deleted: z.boolean(),
    count: count.optional(),
    missing: count.optional()
  }),
  ChangeLogged: z.strictObject({ id: z.string(), ...logged }),
  ChangeOfItemsLogged: z.strictObject({ count, ...logged }),
  OperationLogged: z.strictObject({ name: z.string().optional(), ...logged }),
  Rebuilt: z.strictObject({ rebuilt: z.literal(true), ...outcome }),
  Relabelled: z.strictObject({ id: z.string(), relabelled: z.literal(true), ...outcome }),
  RelabelledItems: z.strictObject({
    count,
    relabelled: z.literal(true),
    missing: z.array(z.string()),
    ...outcome
  }),
  Restored: z.strictObject({
    name: z.string(),
    restored: z.literal(true),
    items: count,
    ...outcome
  }),
  RestoredInto: z.strictObject({
    name: z.string(),
    incarnation: z.string(),
    job: z.string().nullable(),
    total: count
  }),
  SnapshotDropped: z.strictObject({ name: z.string(), dropped: z.literal(true), ...outcome }),
  SnapshotList: z.strictObject({
    snapshots: z.array(
      z.strictObject({
        name: z.string(),
        revision: count,
        created_at: z.iso.datetime(),
        seq: count,
        items: count,
        rows: count
      })
    )
  }),
  SnapshotTaken: z.strictObject({ name: z.string(), taken: z.literal(true), ...outcome }),
  VerifyLine: z.union([
    z.strictObject({ files: count, bytes: count }),
    z.strictObject({
      seq: count.nullable(),
      files: count,
      bytes: count,
      problems: z.array(z.strictObject({ code: z.string(), key: z.string(), message: z.string() }))
    })
  ]),
  Dropped: z.strictObject({ name: z.string(), incarnation: z.string(), dropped: z.literal(true) }),
  Hit: hitSchema,
  Item: itemSchema,
  Job: jobSchema,
  JobCancelled: z.strictObject({ job: z.string(), cancelled: count, ...outcome }),
  JobList: z.strictObject({ jobs: z.array(jobSchema), next: count.nullable() }),
  Live: z.strictObject({ status: z.literal('ok') }),
  OpenapiDocument: z.looseObject({ openapi: z.string() }),
  Problem: problemSchema,
  Profile: profileSchema,
  ProfileApplied: z.strictObject({ ...applying, applied: z.literal(true), ...outcome }),
  ProfileLogged: z.strictObject({ ...applying, ...logged }),
  ProfileList: z.strictObject({ profiles: z.array(profileSchema) }),
  Readiness: z.strictObject({
    status: z.enum(['ready', 'not ready']),
    parts: z.record(z.string(), z.strictObject({ ok: z.boolean(), reason: z.string().optional() }))
  }),
  SearchAnswer: searchSchema,
  Status: statusSchema
}
export type AnswerSchemaName = keyof typeof answerSchemas
