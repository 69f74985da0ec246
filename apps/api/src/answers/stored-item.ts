// Reads for GET routes: opens a collection reader, and reads the item for the routes under
// /items/:id.
import type { Request } from 'express'
import { z } from 'zod'
import type { CollectionReader, StoredItem } from '@likeness/engine/contract'
import { consistencies } from '@likeness/shared/contract/http/search'
import { appError } from '@likeness/shared/errors'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import { pathParameter } from '../http/route.ts'
import { resolveCollection } from './resolve-collection.ts'

export const readTimeoutMs = 5_000
export const readOptionsSchema = z.object({
  consistency: z.enum(consistencies).default('bounded'),
  min_seq: z.coerce.number().int().min(0).optional()
})

/** Paths of an item's pictures. */
export function pictureLinks(collection: string, id: string): { image: string; thumbnail: string } {
  const path = `/v1/collections/${collection}/items/${encodeURIComponent(id.toWellFormed())}`
  return { image: `${path}/image`, thumbnail: `${path}/thumbnail` }
}

/**
 * Opens the collection reader that the request asks for (`?consistency=&min_seq=`). The caller
 * releases the reader.
 */
export async function acquireAsked(deps: ApiDeps, req: Request): Promise<CollectionReader> {
  const { consistency, min_seq: minSeq } = parseRequest(readOptionsSchema, req.query)
  const spec = await resolveCollection(deps, pathParameter(req, 'c'))
  return deps.replica.acquire(spec.collectionId, { consistency, minSeq, timeoutMs: readTimeoutMs })
}

/** Reads with the collection reader that the request asks for. */
export async function withReader<T>(
  deps: ApiDeps,
  req: Request,
  read: (reader: CollectionReader) => Promise<T>
): Promise<T> {
  const reader = await acquireAsked(deps, req)
  try {
    return await read(reader)
  } finally {
    reader.release()
  }
}

/** item_not_found when the reader does not hold the item. */
export async function readItem(
  reader: Pick<CollectionReader, 'getItem'>,
  id: string
): Promise<StoredItem> {
  const item = await reader.getItem(id)
  if (item === undefined)
    throw appError('item_not_found', 'the collection has no item with this id')
  return item
}

/** Reads the item of the path with the collection reader that the request asks for. */
export function withItem<T>(
  deps: ApiDeps,
  req: Request,
  read: (item: StoredItem, reader: CollectionReader) => T | Promise<T>
): Promise<T> {
  return withReader(deps, req, async (reader) =>
    read(await readItem(reader, pathParameter(req, 'id')), reader)
  )
}

/** Returns the object key of an item's picture; object_not_found when the item has no picture. */
export function imageKeyOf(item: StoredItem): string {
  if (item.imageKey === null) throw appError('object_not_found', 'this item has no picture')
  return item.imageKey
}
