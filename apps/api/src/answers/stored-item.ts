// What a GET reads from a snapshot: one item for the routes under /items/:id, or all of it.
import type { Request } from 'express'
import { z } from 'zod'
import type { Snapshot, StoredItem } from '@likeness/engine/contract'
import { consistencies } from '@likeness/shared/contract/http'
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import { pathParameter } from '../http/route.ts'
import { resolveCollection } from './resolve-collection.ts'

export const readTimeoutMs = 5_000
export const wishSchema = z.object({ consistency: z.enum(consistencies).default('bounded'), min_seq: z.coerce.number().int().min(0).optional() })

/** Paths of an item's pictures. */
export function pictureLinks(collection: string, id: string): { image: string; thumbnail: string } {
  const path = `/v1/collections/${collection}/items/${encodeURIComponent(id)}`
  return { image: `${path}/image`, thumbnail: `${path}/thumbnail` }
}

/** The snapshot that the request asks for (`?consistency=&min_seq=`); the caller releases it. */
export async function acquireAsked(deps: ApiDeps, req: Request): Promise<Snapshot> {
  const { consistency, min_seq: minSeq } = parseRequest(wishSchema, req.query)
  const spec = await resolveCollection(deps, pathParameter(req, 'c'))
  return deps.replica.acquire(spec.incarnation, { consistency, minSeq, timeoutMs: readTimeoutMs })
}

/** Reads with the snapshot that the request asks for. */
export async function withSnapshot<T>(deps: ApiDeps, req: Request, read: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const snapshot = await acquireAsked(deps, req)
  try {
    return await read(snapshot)
  } finally {
    snapshot.release()
  }
}

/** item_not_found when the item is not in the snapshot. */
export async function readItem(snapshot: Pick<Snapshot, 'getItem'>, id: string): Promise<StoredItem> {
  const item = await snapshot.getItem(id)
  if (item === undefined) throw appError('item_not_found', 'the collection has no item with this id')
  return item
}

/** The item of the path, in the snapshot that the request asks for. */
export function withItem<T>(deps: ApiDeps, req: Request, read: (item: StoredItem, snapshot: Snapshot) => T | Promise<T>): Promise<T> {
  return withSnapshot(deps, req, async (snapshot) => read(await readItem(snapshot, pathParameter(req, 'id')), snapshot))
}

/** Object key of an item's picture; object_not_found when it has none. */
export function imageKeyOf(item: StoredItem): string {
  if (item.imageKey === null) throw appError('object_not_found', 'this item has no picture')
  return item.imageKey
}
