// The single way into a collection: item list, log entry, liveness check, then the acknowledgement.
// A short list is part of the log entry.
import { z } from 'zod'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import {
  itemIdSchema,
  type ItemListLine,
  itemListLineSchema,
  itemListPartSize
} from '@likeness/shared/contract/item-list'
import { jobIdOf } from '@likeness/shared/contract/job-id'
import { collectionKeys } from '@likeness/shared/contract/keys'
import type { IngestOperation } from '@likeness/shared/contract/operation'
import { createUlid, ulidTimeMs } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ApiDeps } from '../api-deps.ts'
import type { Answer } from '../idempotency/answer-once.ts'
import { findLogged } from '../idempotency/find-logged.ts'
import { tailBefore, tailSlotSchema } from '../idempotency/tail-before.ts'

export const ingestIntentSchema = z.object({
  ingestion: z.string(),
  opId: z.string(),
  incarnation: z.string(),
  collection: z.string(),
  total: z.number().int(),
  source: z.string(),
  requestId: z.string(),
  atMs: z.number(),
  tailSlot: tailSlotSchema,
  /** The request supplied the vectors. */
  given: z.boolean().optional(),
  /** Absent: `itemListPartSize`. */
  partSize: z.number().int().optional(),
  /** The item list, where it is short enough for the log entry. */
  lines: z.array(itemListLineSchema).optional(),
  /** Answered for uploads. */
  items: z.array(z.object({ ordinal: z.number().int(), id: itemIdSchema })).optional()
})
export type IngestIntent = z.infer<typeof ingestIntentSchema>

/** Object key of the original of an item; `n` is unique within the ingestion. */
export const pictureKey = (spec: CollectionSpec, ingestion: string, n: number): string =>
  collectionKeys(spec.collectionId).image(ingestion, n)

export interface IngestionDraft {
  ingestion: string
  spec: CollectionSpec
  source: string
  requestId: string
  /** The request has an Idempotency-Key: another process may log this ingestion too. */
  keyed: boolean
  /** The vector batches are stored already. */
  given?: boolean
  /** Lines of a part of the item list; `itemListPartSize` unless given. */
  partSize?: number
}

/**
 * Writes the item list; invalid_request when the list is empty. The list is unused before
 * `acceptIngestion`.
 */
export async function prepareIngestion(
  deps: ApiDeps,
  draft: IngestionDraft,
  lines: AsyncIterable<ItemListLine> | Iterable<ItemListLine>
): Promise<IngestIntent> {
  const { spec, ingestion, partSize } = draft
  const tailSlot = await tailBefore(deps, spec.collectionId, draft.keyed)
  const { total, inline } = await deps.itemLists.write(spec.collectionId, ingestion, lines, {
    partSize,
    mayInline: await deps.logAppender.isOfThisFormat(spec.collectionId)
  })
  if (total === 0) throw appError('invalid_request', `${draft.source}: nothing to ingest`)
  const atMs = deps.clock.nowMs()
  return {
    ingestion,
    opId: createUlid(atMs),
    incarnation: spec.collectionId,
    collection: spec.name,
    total,
    source: draft.source,
    requestId: draft.requestId,
    atMs,
    tailSlot,
    ...(draft.given && { given: true }),
    ...(partSize !== undefined && { partSize }),
    ...(inline && { lines: inline })
  }
}

/**
 * Stored objects are deleted at twice this age. The log entry must exist before that, also with
 * wrong clocks and lost answers.
 */
const isExpired = ({ clock, settings }: ApiDeps, { ingestion }: IngestIntent): boolean =>
  clock.nowMs() - ulidTimeMs(ingestion) > settings.uploadRetentionMs / 2
const expired = () =>
  appError(
    'upload_expired',
    'the request took too long, or is repeated too late: what it had stored may be gone; send it again'
  )

/** upload_expired when the upload is too old and no earlier attempt logged it. */
async function append(
  deps: ApiDeps,
  intent: IngestIntent,
  operation: IngestOperation
): Promise<{ revision: number; slot: number }> {
  const { incarnation: collectionId, opId, tailSlot } = intent
  if (isExpired(deps, intent)) {
    const found =
      tailSlot === null ? undefined : await deps.logAppender.find(collectionId, opId, tailSlot)
    if (found === undefined) throw expired()
    return found
  }
  const logged = await deps.logAppender.append(collectionId, operation, {
    afterSlot: tailSlot ?? undefined
  })
  // This process may have stopped for a while: an ingestion is acknowledged only when its objects
  // are there.
  if (isExpired(deps, intent) && !(await hasObjects(deps.store, intent))) throw expired()
  return logged
}

/** Whether what the request had stored is there, by its first object. */
async function hasObjects(
  store: ApiDeps['store'],
  { incarnation: collectionId, ingestion, lines, given }: IngestIntent
): Promise<boolean> {
  const keys = collectionKeys(collectionId)
  const isThere = async (key: string): Promise<boolean> => (await store.head(key)) !== undefined
  if (lines === undefined) return await isThere(keys.itemListPart(ingestion, 0))
  if (given === true) {
    for await (const _ of store.list(keys.batchPrefix(ingestion))) return true
    return lines.every(({ failure }) => failure !== undefined)
  }
  const own = lines.find(({ imageKey }) => imageKey?.startsWith(keys.imagePrefix))
  return typeof own?.imageKey !== 'string' || (await isThere(own.imageKey))
}

interface LoggedIngestion {
  revision: number
  slot: number
  job: string
  /** The job is found by its id, which holds collection id and revision. */
  isNamed: boolean
}

/** A list was left to the log entry only where that may have it. */
const isOfThisFormat = async (
  { logAppender }: ApiDeps,
  { incarnation, lines }: IngestIntent
): Promise<boolean> => lines !== undefined || (await logAppender.isOfThisFormat(incarnation))

/**
 * Appends the log entry, unless an earlier attempt did, and returns its place and the id of the job.
 * upload_expired when the time for that is over.
 */
export async function logIngestion(deps: ApiDeps, intent: IngestIntent): Promise<LoggedIngestion> {
  const { ingestion, opId, total, requestId, atMs, given } = intent
  const { partSize = itemListPartSize, source, lines } = intent
  const isNew = await isOfThisFormat(deps, intent)
  const operation: IngestOperation = {
    kind: 'ingest',
    opId,
    atMs,
    ingestion,
    total,
    partSize,
    requestId,
    ...(given && { given }),
    ...(isNew && { source }),
    ...(lines && { items: lines })
  }
  return await withJob(deps, intent, { ...(await append(deps, intent, operation)), isNew })
}

async function withJob(
  deps: ApiDeps,
  { incarnation: collectionId, ingestion, collection, total, source, atMs }: IngestIntent,
  { revision, slot, isNew }: { revision: number; slot: number; isNew: boolean }
): Promise<LoggedIngestion> {
  if (isNew) return { revision, slot, job: jobIdOf({ collectionId, revision }), isNamed: true }
  await deps.jobs.recordFormer({
    ingestion,
    collectionId,
    collection,
    total,
    revision,
    source,
    createdAtMs: atMs
  })
  return { revision, slot, job: ingestion, isNamed: false }
}

/**
 * Answers 202 once the ingestion is logged. collection_not_found when the collection was dropped
 * meanwhile.
 */
export async function acceptIngestion(deps: ApiDeps, intent: IngestIntent): Promise<Answer> {
  return answerOf(deps, intent, await logIngestion(deps, intent))
}

/**
 * Answers a retry whose first request had the ingestion logged; undefined when that is not so.
 * `collectionId`: the collection that has the name now.
 */
export async function answerAccepted(
  deps: ApiDeps,
  intent: IngestIntent,
  collectionId: string
): Promise<Answer | undefined> {
  const found = await findLogged(deps, intent, collectionId)
  if (found === undefined) return undefined
  const isNew = await isOfThisFormat(deps, intent)
  return answerOf(deps, intent, await withJob(deps, intent, { ...found, isNew }))
}

function answerOf(
  deps: ApiDeps,
  { incarnation: collectionId, collection, total, items }: IngestIntent,
  { revision, slot, job, isNamed }: LoggedIngestion
): Answer {
  return {
    status: 202,
    body: { job, collection, revision, total, ...(items && { items }) },
    ...(isNamed && { isLogged: true }),
    after: () => deps.notifications.work({ collectionId, slot })
  }
}

/**
 * Deletes pictures, vectors and item list of an ingestion that was not accepted. Never rejects:
 * remaining objects are logged, and only waste space.
 */
export async function abandonIngestion(
  deps: ApiDeps,
  { ingestion, spec }: Pick<IngestionDraft, 'ingestion' | 'spec'>
): Promise<void> {
  const keys = collectionKeys(spec.collectionId)
  try {
    const [images] = keys.imagePrefixes(ingestion)
    for (const prefix of [images!, keys.batchPrefix(ingestion), keys.itemListPrefix(ingestion)])
      await deleteListed(deps.store, deps.store.list(prefix))
  } catch (error) {
    deps.logger.warn({ err: error, ingestion }, 'objects of an unaccepted ingestion stay')
  }
}
