// GET /v1/collections/:c/vectors: every item of a committed version with its vectors, as lines that
// POST .../vectors accepts.
import type { CollectionReader } from '@likeness/engine/contract'
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { isSparse, sparseVectors } from '@likeness/shared/contract/vector-rows'
import { acquireAsked } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import type { Route } from '../http/route.ts'
import { sendNdjson } from '../http/send-ndjson.ts'

async function* linesOf(reader: CollectionReader): AsyncGenerator<VectorLine> {
  for await (const { item, vectors } of reader.scrollVectors()) {
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
    const reader = await acquireAsked(deps, req)
    try {
      res.setHeader('x-index-seq', String(reader.seq))
      await sendNdjson(res, linesOf(reader))
    } finally {
      reader.release()
    }
  }
})
