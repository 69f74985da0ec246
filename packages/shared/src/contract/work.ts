// Messages and keys in Redis: chunk jobs, notifications, leases, the registries of index-workers and
// of embed servers. All of them may be lost at any time.
import { z } from 'zod'
import { embeddingSchema } from './collection.ts'
import { itemListLineSchema } from './item-list.ts'
import { enrolmentSchema, modelSettingsSchema } from './picture-settings.ts'
import { modelOf, parseProfileEmbedding } from './profile.ts'
import { fromStored } from './stored-names.ts'

export const queuePriorities = ['small', 'bulk'] as const
export type QueuePriority = (typeof queuePriorities)[number]
/**
 * Kinds of queues. `inline`: jobs with their item lines. They have queues of their own, because
 * embed-workers of programs before 0.4 would look for a list.
 */
export const queueKinds = ['inline', 'small', 'bulk'] as const
export type QueueKind = (typeof queueKinds)[number]
/** Small ingestions do not wait behind an import. */
export const priorityOf = (kind: QueueKind): QueuePriority => (kind === 'bulk' ? 'bulk' : 'small')
/**
 * Part of the queue name for the chunks of an embedding. Without a learned profile only
 * embed-workers that were started with this embedding take them; with a learned profile any
 * embed-worker of the model does. So a worker never takes a chunk that it cannot embed.
 */
export const chunkRoute = (embeddingVersion: string): string =>
  parseProfileEmbedding(embeddingVersion) === undefined
    ? embeddingVersion
    : modelOf(embeddingVersion)
/**
 * Routes from which an embed-worker takes chunks, by the embedding that the worker was started
 * with.
 */
export const routesOf = (ownVersion: string): string[] => [
  ...new Set([ownVersion, modelOf(ownVersion)])
]
/** BullMQ does not allow `:` in names. */
export const queueName = (kind: QueueKind, route: string): string =>
  `${kind === 'inline' ? 'embed2-small' : `embed-${kind}`}-${route.replaceAll(/[^\w.@/-]/g, '_')}`

export const chunkJobSchema = z
  .object({
    incarnation: z.string(),
    ingestion: z.string(),
    /** First ordinal of the item list part to embed. */
    firstOrdinal: z.number().int().min(0),
    /** Number of items of the part. */
    size: z.number().int().min(1),
    embedding: embeddingSchema,
    enrolment: enrolmentSchema,
    /**
     * 1 for the first time that the chunk is scheduled. Later jobs first look for batches that an
     * earlier job has written.
     */
    feeding: z.number().int().min(1),
    requestId: z.string().optional(),
    /** Set for a small ingestion whose log entry has its lines: its vectors go to a shared batch. */
    inline: z.object({ revision: z.number().int(), lines: z.array(itemListLineSchema) }).optional()
  })
  .transform(fromStored)
export type ChunkJob = z.infer<typeof chunkJobSchema>
/** BullMQ does not allow ids with `:` or with digits only. */
export const chunkJobId = (job: Pick<ChunkJob, 'ingestion' | 'firstOrdinal'>): string =>
  `${job.ingestion}-${job.firstOrdinal}`

/**
 * Pub/sub channels. `work`: a collection has log entries or batches to apply. `committed`: CURRENT
 * moved. `catalog`: names changed. `handOver`: an index-worker has something for another one.
 */
export const channels = {
  work: 'likeness:work',
  committed: 'likeness:committed',
  catalog: 'likeness:catalog',
  handOver: 'likeness:hand-over'
} as const
export const workNotificationSchema = z
  .object({
    incarnation: z.string(),
    slot: z.number().optional(),
    batches: z.array(z.string()).optional()
  })
  .transform(fromStored)
export type WorkNotification = z.infer<typeof workNotificationSchema>
export const commitNotificationSchema = z
  .object({
    incarnation: z.string(),
    seq: z.number(),
    /** Older workers do not send it. */
    appliedSlot: z.number().optional()
  })
  .transform(fromStored)
/** Name of a collection or an alias. */
export const catalogNotificationSchema = z.object({ name: z.string() })
export type CommitNotification = z.infer<typeof commitNotificationSchema>

/**
 * The key exists while the api process of this id lives. The process renews the key all the time;
 * otherwise it expires.
 */
export const apiProcessKey = (id: string): string => `likeness:api:${id}`

export const leaseKey = (collectionId: string): string => `likeness:lease:${collectionId}`
/**
 * Hash: worker id -> time of Redis in milliseconds, a space, JSON IndexWorkerEntry. Each worker writes
 * its own field a few times per lease.
 */
export const indexWorkersKey = 'likeness:index-workers'
export const indexWorkerEntrySchema = z.object({
  workerId: z.string(),
  /** Sum over its collections of 1 + items / 100 000. */
  load: z.number().min(0),
  /** The worker ends: it takes nothing more. */
  isStopping: z.boolean(),
  /** Collections that it wants to hand over: collection id -> worker id. */
  offers: z.record(z.string(), z.string()),
  /** Collections that were offered to it and that it has read ahead. */
  ready: z.array(z.string())
})
export type IndexWorkerEntry = z.infer<typeof indexWorkerEntrySchema>
/** With a collection: its lease is the receiver's now. Without: the entries have news. */
export const handOverNotificationSchema = z.object({
  to: z.string(),
  collection: z.string().optional()
})
export type HandOverNotification = z.infer<typeof handOverNotificationSchema>
/** Hash: worker id -> JSON EmbedderAddress. Each worker refreshes its field every 2 s. */
export const embeddersKey = 'likeness:lanes'
export const embedderAddressSchema = z.object({
  workerId: z.string(),
  url: z.string(),
  embedding: embeddingSchema,
  /**
   * sha256 of the model's file. Old workers, from before there was a queue for each route, do not
   * send it and take no chunks from these queues.
   */
  modelSha256: z.string().optional(),
  provider: z.string(),
  /** Names of the model's classes. Workers of an older program do not send them. */
  classes: z.array(z.string()).optional(),
  /** Settings that collections made with the model begin with. */
  settings: modelSettingsSchema.optional(),
  atMs: z.number()
})
export type EmbedderAddress = z.infer<typeof embedderAddressSchema>
/**
 * Hash per chunk: ordinal -> JSON {workerId, alone, deaths}. Lists the images that a process has
 * started and that may kill the process.
 */
export const inFlightKey = (ingestion: string, firstOrdinal: number): string =>
  `likeness:in-hand:${ingestion}:${firstOrdinal}`
