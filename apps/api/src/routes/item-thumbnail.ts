// GET /v1/collections/:c/items/:id/thumbnail?w=: a JPEG made by an embed server, kept in memory.
import { z } from 'zod'
import { readPicture } from '../answers/read-picture.ts'
import { imageKeyOf, withItem } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import type { Route } from '../http/route.ts'
import { pictureEtag, setPictureHeaders } from './item-image.ts'

export const querySchema = z.object({ w: z.coerce.number().int().min(16).max(1024).default(160) })

export const itemThumbnail = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections/:c/items/:id/thumbnail',
  gate: 'reads',
  async handle(req, res) {
    const { w: width } = parseRequest(querySchema, req.query)
    const key = await withItem(deps, req, imageKeyOf)
    // The etag must change when the way a thumbnail is made changes: browsers keep the old thumbnail
    // as long as its etag holds.
    const etag = pictureEtag(key, width)
    if (req.get('if-none-match') === etag) return void res.status(304).setHeader('etag', etag).end()
    // No abort signal: other requests may wait for the same thumbnail.
    const body = await deps.thumbnails.get(`${width} ${key}`, async () =>
      deps.embedder.thumbnail(await readPicture(deps, key), width)
    )
    setPictureHeaders(res, 'image/jpeg', etag)
    res.send(Buffer.from(body.buffer, body.byteOffset, body.byteLength))
  }
})
