// GET /v1/collections/:c/vectors: every item of a committed version with its vectors, as lines or
// rows of Arrow that POST .../vectors accepts.
import { z } from 'zod'
import type { CollectionReader } from '@likeness/engine/contract'
import { type VectorItem, writeArrowItems } from '@likeness/shared/contract/arrow/write-arrow-items'
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { maxSample } from '@likeness/shared/contract/limits'
import { denseRows, isSparse, sparseVectors } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { acquireAsked, readOptionsSchema } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { parseRequest } from '../http/request-body.ts'
import type { Route } from '../http/route.ts'
import { sendNdjson, sendPieces } from '../http/send-ndjson.ts'

export const querySchema = readOptionsSchema.extend({
  /** At most so many items, spread evenly over the version. Absent: all. */
  sample: z.coerce.number().int().min(1).max(maxSample).optional()
})
const arrowStream = 'application/vnd.apache.arrow.stream'

type Items = ReturnType<CollectionReader['scrollVectors']>

async function* itemsOf(items: Items): AsyncGenerator<VectorItem> {
  for await (const { item, vectors } of items) {
    const { id, label, metadata, width, height, rows } = item
    const described = Object.keys(metadata).length === 0 ? {} : { metadata }
    yield { id, label, ...described, width, height, rows, vectors: denseRows(vectors) }
  }
}

async function* linesOf(items: Items): AsyncGenerator<VectorLine> {
  for await (const { item, vectors } of items) {
    const { id, label, metadata, width, height, rows } = item
    const described = Object.keys(metadata).length === 0 ? {} : { metadata }
    yield {
      id,
      label,
      ...described,
      width,
      height,
      rows,
      vectors: isSparse(vectors) ? [...sparseVectors(vectors)] : encodeVector(vectors)
    }
  }
}

export const exportVectors = (deps: ApiDeps): Route => ({
  method: 'get',
  path: '/v1/collections/:c/vectors',
  gate: 'exports',
  async handle(req, res) {
    const { sample } = parseRequest(querySchema, req.query)
    const reader = await acquireAsked(deps, req)
    try {
      const items = reader.scrollVectors({ most: sample })
      res.setHeader('x-index-seq', String(reader.seq))
      const { dim, sparse = false } = reader.spec.embedding
      // NDJSON comes first: it answers a request that accepts anything.
      if (req.accepts('application/x-ndjson', arrowStream) !== arrowStream)
        return await sendNdjson(res, linesOf(items))
      if (sparse)
        throw appError(
          'invalid_vector',
          'the vectors of the collection are sparse: read them as NDJSON'
        )
      await sendPieces(res, arrowStream, writeArrowItems(itemsOf(items), { dim }))
    } finally {
      reader.release()
    }
  }
})
