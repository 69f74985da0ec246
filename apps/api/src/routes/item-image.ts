// GET /v1/collections/:c/items/:id/image: the original bytes, under a type that no browser runs.
import { pipeline } from 'node:stream/promises'
import type { Response } from 'express'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import { mediaTypeOf } from '../answers/picture-type.ts'
import { imageKeyOf, withItem } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { contextOf } from '../http/request-context.ts'
import type { Route } from '../http/route.ts'

export const pictureEtag = (...parts: (string | number)[]): string =>
  `"${sha256Hex(parts.join('\n')).slice(0, 32)}"`

/**
 * Sets headers for a user's bytes: a browser shows them as a picture or saves them, and never runs
 * them.
 */
export function setPictureHeaders(res: Response, type: string | undefined, etag: string): void {
  res.setHeader('content-type', type ?? 'application/octet-stream')
  if (type === undefined) res.setHeader('content-disposition', 'attachment')
  res.setHeader('content-security-policy', "default-src 'none'; sandbox")
  res.setHeader('x-content-type-options', 'nosniff')
  res.setHeader('cache-control', 'private, no-cache')
  res.setHeader('etag', etag)
}

const missing = () => appError('object_not_found', 'the picture is gone from the store')

export const itemImage = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections/:c/items/:id/image',
  gate: 'reads',
  async handle(req, res) {
    const key = await withItem(deps, req, imageKeyOf)
    const etag = pictureEtag(key)
    if (req.get('if-none-match') === etag) return void res.status(304).setHeader('etag', etag).end()
    const [info, head] = await Promise.all([deps.store.head(key), deps.store.getRange(key, 0, 16)])
    if (info === undefined || head === undefined) throw missing()
    const body = await deps.store.getStream(key)
    if (body === undefined) throw missing()
    setPictureHeaders(res, mediaTypeOf(head), etag)
    res.setHeader('content-length', info.sizeBytes)
    if (req.method === 'HEAD') {
      body.destroy()
      return void res.end()
    }
    try {
      await pipeline(body, res)
    } catch (error) {
      // A client that left is not an error of ours.
      if (!contextOf(res).gone.aborted) throw error
    }
  }
})
