// What travels over Redis: chunk jobs, hints, leases, the registry of interactive lanes. All of it may be lost at any time.
import { z } from 'zod'
import { embeddingSchema } from './collection.ts'
import { enrolmentSchema } from './picture-settings.ts'
import { modelOf, parseProfileEmbedding } from './profile.ts'
import { fromStored } from './stored-names.ts'

/** Ingestions of at most this many items use the small queue, so that they do not wait behind an import. */
export const smallIngestionItems = 32
export const queuePriorities = ['small', 'bulk'] as const
export type QueuePriority = (typeof queuePriorities)[number]
/** Where chunks of an embedding wait: for embed-workers that were started with it, or, when a learned profile makes it, for any of its model. So nobody takes what it cannot make. */
export const chunkRoute = (embeddingVersion: string): string =>
  parseProfileEmbedding(embeddingVersion) === undefined
    ? embeddingVersion
    : modelOf(embeddingVersion)
/** What an embed-worker takes chunks from, by the embedding that it was started with. */
export const routesOf = (ownVersion: string): string[] => [
  ...new Set([ownVersion, modelOf(ownVersion)])
]
/** BullMQ's names hold no `:`. */
export const queueName = (priority: QueuePriority, route: string): string =>
  `embed-${priority}-${route.replaceAll(/[^\w.@/-]/g, '_')}`

export const chunkJobSchema = z
  .object({
    incarnation: z.string(),
    ingestion: z.string(),
    /** First ordinal of the item list part to embed. */
    firstOrdinal: z.number().int().min(0),
    /** Items of the part. */
    size: z.number().int().min(1),
    embedding: embeddingSchema,
    enrolment: enrolmentSchema,
    /** 1 for the first feeding; later ones look for batches that an earlier one has written. */
    feeding: z.number().int().min(1),
    requestId: z.string().optional()
  })
  .transform(fromStored)
export type ChunkJob = z.infer<typeof chunkJobSchema>
/** BullMQ ids hold no `:` and are not all digits. */
export const chunkJobId = (job: Pick<ChunkJob, 'ingestion' | 'firstOrdinal'>): string =>
  `${job.ingestion}-${job.firstOrdinal}`

/** Pub/sub. `work`: collection has log entries or batches to apply. `committed`: CURRENT moved. `catalog`: names changed. */
export const channels = {
  work: 'likeness:work',
  committed: 'likeness:committed',
  catalog: 'likeness:catalog'
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
  .object({ incarnation: z.string(), seq: z.number() })
  .transform(fromStored)
export type CommitNotification = z.infer<typeof commitNotificationSchema>

/** There while the api process of this id lives: it sets it anew all the time, and it expires by itself. */
export const apiProcessKey = (id: string): string => `likeness:api:${id}`

export const leaseKey = (collectionId: string): string => `likeness:lease:${collectionId}`
/** Hash: worker id -> JSON LaneAddress; each worker refreshes its field every 2 s. */
export const embeddersKey = 'likeness:lanes'
export const embedderAddressSchema = z.object({
  workerId: z.string(),
  url: z.string(),
  embedding: embeddingSchema,
  /** Of the model's file. Workers from before there was a queue for each route do not say it, and take no chunks from these. */
  modelSha256: z.string().optional(),
  provider: z.string(),
  atMs: z.number()
})
export type EmbedderAddress = z.infer<typeof embedderAddressSchema>
/** Hash per chunk: ordinal -> JSON {workerId, alone, deaths}: images being touched by a process that they may kill. */
export const inFlightKey = (ingestion: string, firstOrdinal: number): string =>
  `likeness:in-hand:${ingestion}:${firstOrdinal}`
