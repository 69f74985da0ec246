// POST /v1/collections/:c/items/:id/compare: finds which parts of a picture match which parts of an
// item's picture.
import type { Request, Response } from 'express'
import {
  type CompareAnswer,
  type CompareRequest,
  compareRequestSchema
} from '@likeness/shared/contract/http/compare'
import { appError } from '@likeness/shared/errors'
import { readClientPicture, readPicture } from '../answers/read-picture.ts'
import { imageKeyOf, readItem, withReader } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { requireEmbedder } from '../embedder/require-embedder.ts'
import { checkBox } from '../http/check-box.ts'
import { readPictureForm } from '../http/picture-form.ts'
import { isMultipart, parseRequest, readJson } from '../http/request-body.ts'
import { holdBytes } from '../http/held-bytes.ts'
import { contextOf } from '../http/request-context.ts'
import { pathParameter, type Route } from '../http/route.ts'

interface ReceivedCompare {
  request: CompareRequest
  picture: Uint8Array | undefined
}

const form = { asJson: new Set(['box', 'item_box']), files: ['image'], mostFiles: 1 }

async function receive(
  { settings }: ApiDeps,
  req: Request,
  res: Response
): Promise<ReceivedCompare> {
  const { fields, pictures } = isMultipart(req)
    ? await readPictureForm(req, { ...form, maxBytes: settings.maxUploadBytes })
    : { fields: await readJson(req, res), pictures: { image: [] } }
  const picture = pictures['image']![0]
  const request = parseRequest(compareRequestSchema, fields)
  const sources = [request.image_key, request.item_id, picture].filter(
    (source) => source !== undefined
  ).length
  if (sources !== 1)
    throw appError(
      'invalid_request',
      'give exactly one of image_key, item_id, or a picture in the form field `image`'
    )
  checkBox('box', request.box)
  checkBox('item_box', request.item_box)
  return { request, picture }
}

export const compareItem = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/items/:id/compare',
  gate: 'searches',
  async handle(req, res) {
    const startedMs = performance.now()
    const { request, picture } = await receive(deps, req, res)
    const id = pathParameter(req, 'id')
    const { spec, seq, imageKey, ofItem } = await withReader(deps, req, async (reader) => ({
      spec: reader.spec,
      seq: reader.seq,
      imageKey: imageKeyOf(await readItem(reader, id)),
      ofItem:
        request.item_id === undefined
          ? undefined
          : imageKeyOf(await readItem(reader, request.item_id))
    }))
    await requireEmbedder(deps, spec)
    const bytes =
      picture ??
      (ofItem === undefined
        ? await readClientPicture(deps, request.image_key!)
        : await readPicture(deps, ofItem))
    if (bytes !== picture) holdBytes(res, bytes.byteLength)
    const made = await deps.embedder.compare(
      bytes,
      { embedding: spec.embedding, box: request.box, imageKey, imageBox: request.item_box },
      contextOf(res).gone
    )
    res.setHeader('x-index-seq', String(seq))
    res.json({
      collection: spec.name,
      id,
      ...made,
      matches: made.matches.map(({ query, item, strength }) => ({
        query_cell: query,
        item_cell: item,
        strength
      })),
      index_seq: seq,
      took_ms: Math.round((performance.now() - startedMs) * 1000) / 1000
    } satisfies CompareAnswer)
  }
})
