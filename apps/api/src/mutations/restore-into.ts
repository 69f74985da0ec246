// Turns a snapshot into a new collection: the items go into a new log with their vectors, and the
// pictures are copied. The two collections share no objects, so either may be dropped. The name
// comes last: a collection that can be found is complete in the log.
import type { Request, Response } from 'express'
import { z } from 'zod'
import type { HeldVersion } from '@likeness/engine/snapshot-contract'
import { type CollectionSpec, storedSpecSchema } from '@likeness/shared/contract/collection'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { collectionKeys, isEngineKey } from '@likeness/shared/contract/keys'
import { fromStored, toStored } from '@likeness/shared/contract/stored-names'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError, isAppError } from '@likeness/shared/errors'
import { deleteListed } from '@likeness/store/delete-listed'
import type { ApiDeps } from '../api-deps.ts'
import { contextOf } from '../http/request-context.ts'
import { type Answer, answerOnce, isKeyed } from '../idempotency/answer-once.ts'
import {
  ingestIntentSchema,
  type IngestionDraft,
  logIngestion,
  pictureKey,
  prepareIngestion
} from '../ingest/ingestion.ts'
import { createVectorBatches } from '../ingest/vector-batches.ts'

const copiesAtOnce = 8
const intentSchema = z.object({ spec: storedSpecSchema, ingest: ingestIntentSchema.nullable() })
type Intent = z.infer<typeof intentSchema>

export interface RestoringInto {
  collectionId: string
  collection: string
  snapshot: string
  into: string
}

/**
 * Copies a picture of the engine. Other pictures are referred to by key, the same as in the
 * snapshot. A missing picture becomes null.
 */
async function copyPicture(
  { store }: ApiDeps,
  from: string | null,
  to: string
): Promise<string | null> {
  if (from === null || !isEngineKey(from)) return from
  const body = await store.getStream(from)
  if (body === undefined) return null
  await store.putStream(to, body, { maxBytes: Infinity })
  return to
}

/** Yields the lines of the item list, and writes the vector batches on the way. */
async function* copyItems(
  deps: ApiDeps,
  held: HeldVersion,
  { spec, ingestion }: IngestionDraft
): AsyncGenerator<ItemListLine> {
  const batches = createVectorBatches({
    store: deps.store,
    spec,
    ingestion,
    nowMs: deps.clock.nowMs
  })
  const copied = mapInOrder(held.items(), copiesAtOnce, async ({ item, vectors }, ordinal) => ({
    item: {
      ...item,
      ordinal,
      imageKey: await copyPicture(deps, item.imageKey, pictureKey(spec, ingestion, ordinal))
    },
    vectors
  }))
  for await (const { item, vectors } of copied) {
    // Only what the schema of a batch knows: the place of raw vectors is one of the other collection.
    const { ordinal, id, label, metadata, imageKey, width, height, rows } = item
    const copy = { ordinal, id, label, metadata, imageKey, width, height, rows }
    if (batches.add(copy, vectors)) await batches.write()
    yield { ordinal, id, label, metadata, imageKey }
  }
  await batches.flush()
}

/**
 * upload_expired when the request is repeated so late that the copied files are deleted, or may be
 * soon (packages/engine/src/garbage/unnamed-collections.ts).
 */
async function publish(deps: ApiDeps, { spec: stored, ingest }: Intent): Promise<Answer> {
  const spec = fromStored(stored)
  const { name, collectionId } = spec
  if ((await deps.store.head(collectionKeys(collectionId).current)) === undefined)
    throw appError(
      'upload_expired',
      'the request is repeated too late: what it had copied is gone; send it under a new Idempotency-Key'
    )
  const logged = ingest === null ? undefined : await logIngestion(deps, ingest)
  await deps.catalog.publish(spec, { withinMs: deps.settings.uploadRetentionMs / 2 })
  return {
    status: 202,
    body: {
      name,
      incarnation: collectionId,
      job: logged?.job ?? null,
      total: ingest?.total ?? 0
    },
    after: () => deps.notifications.catalog(name)
  }
}

async function abandon(
  { store, logger }: ApiDeps,
  { collectionId }: CollectionSpec
): Promise<void> {
  try {
    await deleteListed(store, store.list(collectionKeys(collectionId).root))
  } catch (error) {
    logger.warn({ err: error, collectionId }, 'objects of a collection that was not made stay')
  }
}

export async function restoreInto(
  deps: ApiDeps,
  req: Request,
  res: Response,
  { collectionId, collection, snapshot, into }: RestoringInto
): Promise<void> {
  const ingestion = createUlid(deps.clock.nowMs())
  let made: CollectionSpec | undefined
  await answerOnce(deps, req, res, {
    content: { snapshot, into },
    intentSchema,
    prepare: async (): Promise<Intent> => {
      const held = await deps.snapshots.open(collectionId, snapshot)
      const { collectionId: _collectionId, createdAtMs: _createdAtMs, ...form } = held.spec
      made = await deps.catalog.prepare({ ...form, name: into })
      if (held.counts.items === 0) return { spec: toStored(made), ingest: null }
      const draft = {
        ingestion,
        spec: made,
        source: `snapshot ${snapshot} of ${collection}`,
        requestId: contextOf(res).requestId,
        keyed: isKeyed(req),
        given: true
      }
      try {
        return {
          spec: toStored(made),
          ingest: await prepareIngestion(deps, draft, copyItems(deps, held, draft))
        }
      } catch (error) {
        if (isAppError(error, 'object_not_found'))
          throw appError('snapshot_not_found', 'the snapshot was dropped meanwhile', {
            cause: error
          })
        throw error
      }
    },
    act: (intent) => publish(deps, intent),
    abandon: async () => {
      if (made !== undefined) await abandon(deps, made)
    }
  })
}
