// POST /v1/collections/:c/search: takes a picture, a stored picture, an item, vectors or examples,
// and finds similar items in a committed version.
import type { CollectionReader } from '@likeness/engine/contract'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { resolveCollection } from '../answers/resolve-collection.ts'
import { readTimeoutMs } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { contextOf } from '../http/request-context.ts'
import { leaveGate, pathParameter, type Route } from '../http/route.ts'
import { sendJson } from '../http/send-json.ts'
import { searchSnapshot } from '../search/answer-search.ts'
import { queriesOfExamples } from '../search/queries-of-examples.ts'
import { QueryPictures } from '../search/query-pictures.ts'
import { parseQueryVectors, parseVector } from '../search/query-vector.ts'
import { type ReceivedSearch, receiveSearch } from '../search/receive-search.ts'
import {
  queriesOfItem,
  queriesOfPicture,
  queriesOfVectors,
  type SearchQueries
} from '../search/search-queries.ts'

/** Returns the vectors to search for. */
async function queriesFor(
  reader: CollectionReader,
  { request, examples }: ReceivedSearch,
  pictures: QueryPictures
): Promise<SearchQueries> {
  const { embedding } = reader.spec
  if (request.vector !== undefined)
    return queriesOfVectors(parseVector(request.vector, reader.spec), embedding.dim)
  if (request.vectors !== undefined)
    return queriesOfVectors(parseQueryVectors(request.vectors, reader.spec), embedding.dim)
  if (request.item_id !== undefined) return queriesOfItem(reader, request.item_id)
  // Embeds again where the embedding changed since the pictures were embedded.
  const embedded = await pictures.embed(embedding)
  return examples === undefined
    ? queriesOfPicture(embedded.picture!)
    : queriesOfExamples(reader, examples, embedded.examples)
}

function acquire(
  { replica }: ApiDeps,
  { collectionId }: CollectionSpec,
  { request }: ReceivedSearch
): Promise<CollectionReader> {
  return replica.acquire(collectionId, {
    consistency: request.consistency,
    minSeq: request.min_seq,
    timeoutMs: readTimeoutMs
  })
}

export const search = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/search',
  gate: 'searches',
  async handle(req, res) {
    const startedMs = performance.now()
    const spec = await resolveCollection(deps, pathParameter(req, 'c'))
    const received = await receiveSearch(req, res, deps.settings.maxUploadBytes)
    const pictures = await QueryPictures.open(deps, res, spec, received)
    await pictures.embed(spec.embedding)
    const reader = await acquire(deps, spec, received)
    try {
      const queries = await queriesFor(reader, received, pictures)
      const searchFromMs = performance.now()
      const found = await searchSnapshot(reader, queries, received.request, {
        ...deps,
        signal: contextOf(res).gone
      })
      const nowMs = performance.now()
      res.setHeader('x-index-seq', String(found.index_seq))
      leaveGate(res)
      await sendJson(res, {
        collection: spec.name,
        ...found,
        took_ms: {
          embed: round(pictures.tookMs),
          search: round(nowMs - searchFromMs),
          total: round(nowMs - startedMs)
        }
      })
    } finally {
      reader.release()
    }
  }
})

const round = (ms: number): number => Math.round(ms * 1000) / 1000
