// POST /v1/collections/:c/search: takes a picture, a stored picture, an item or a vector, and finds
// similar items in a committed version.
import type { CollectionReader } from '@likeness/engine/contract'
import type { CollectionSpec, EmbeddingSpec } from '@likeness/shared/contract/collection'
import type { EmbedAnswer, EmbedQuery } from '@likeness/shared/contract/embedder'
import { beyondLimit, maxQueryRuns } from '@likeness/shared/contract/limits'
import {
  enrolmentSchema,
  type Look,
  lookSchema,
  queryRuns
} from '@likeness/shared/contract/picture-settings'
import { appError } from '@likeness/shared/errors'
import { readClientPicture } from '../answers/read-picture.ts'
import { resolveCollection } from '../answers/resolve-collection.ts'
import { readTimeoutMs } from '../answers/stored-item.ts'
import type { ApiDeps } from '../api-deps.ts'
import { requireEmbedder } from '../embedder/require-embedder.ts'
import { holdBytes } from '../http/held-bytes.ts'
import { contextOf } from '../http/request-context.ts'
import { leaveGate, pathParameter, type Route } from '../http/route.ts'
import { sendJson } from '../http/send-json.ts'
import { searchSnapshot } from '../search/answer-search.ts'
import { parseQueryVectors, parseVector } from '../search/query-vector.ts'
import { type ReceivedSearch, receiveSearch } from '../search/receive-search.ts'
import {
  queriesOfItem,
  queriesOfPicture,
  queriesOfVectors,
  type SearchQueries
} from '../search/search-queries.ts'

async function pictureOf(
  deps: ApiDeps,
  spec: CollectionSpec,
  { request, picture }: ReceivedSearch
): Promise<Uint8Array | undefined> {
  if (picture !== undefined || request.image_key !== undefined) await requireEmbedder(deps, spec)
  if (picture !== undefined || request.image_key === undefined) return picture
  return readClientPicture(deps, request.image_key)
}

/**
 * Returns the vectors to search for. `embed` runs again when the collection's embedding differs
 * from the embedding that was used.
 */
async function queriesFor(
  reader: CollectionReader,
  { request }: ReceivedSearch,
  embedded: EmbedAnswer | undefined,
  embed: (embedding: EmbeddingSpec) => Promise<EmbedAnswer>
): Promise<SearchQueries> {
  const { dim } = reader.spec.embedding
  if (request.vector !== undefined)
    return queriesOfVectors(parseVector(request.vector, reader.spec), dim)
  if (request.vectors !== undefined)
    return queriesOfVectors(parseQueryVectors(request.vectors, reader.spec), dim)
  if (request.item_id !== undefined) return queriesOfItem(reader, request.item_id)
  const wanted = reader.spec.embedding
  const answer = embedded?.embedding.version === wanted.version ? embedded : await embed(wanted)
  if (answer.embedding.version !== wanted.version || answer.embedding.dim !== wanted.dim) {
    throw appError(
      'embedding_mismatch',
      `the embedder made ${answer.embedding.version}, the collection has ${wanted.version}`
    )
  }
  return queriesOfPicture(answer)
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

/**
 * Reads the current settings, which may have changed since the creation. Options of the request
 * come first.
 */
async function howToLook(
  { replica }: ApiDeps,
  { collectionId }: CollectionSpec,
  { request }: ReceivedSearch
): Promise<Pick<EmbedQuery, 'enrolment' | 'look' | 'raws'>> {
  const loaded = await replica.acquire(collectionId, {
    consistency: 'eventual',
    timeoutMs: readTimeoutMs
  })
  try {
    const { settings } = loaded.spec
    const asked = Object.fromEntries(
      Object.keys(lookSchema.shape).flatMap((name) =>
        request[name as keyof Look] === undefined ? [] : [[name, request[name as keyof Look]]]
      )
    )
    const raws = (request.rerank ?? settings.rerank) === 'cells'
    const enrolment = enrolmentSchema.parse(settings)
    const look = lookSchema.parse({ ...settings, ...asked })
    const runs = queryRuns(enrolment, look)
    if (runs > maxQueryRuns) throw beyondLimit('maxQueryRuns', runs)
    return { enrolment, look, ...(raws && { raws }) }
  } finally {
    loaded.release()
  }
}

export const search = (deps: ApiDeps): Route => ({
  method: 'post',
  path: '/v1/collections/:c/search',
  gate: 'searches',
  async handle(req, res) {
    const startedMs = performance.now()
    const spec = await resolveCollection(deps, pathParameter(req, 'c'))
    const received = await receiveSearch(req, res, deps.settings.maxUploadBytes)
    const { box, detector_threshold: confidence } = received.request
    const picture = await pictureOf(deps, spec, received)
    if (picture !== undefined && picture !== received.picture) holdBytes(res, picture.byteLength)
    const seen = picture === undefined ? undefined : await howToLook(deps, spec, received)
    let embedMs = 0
    const embed = async (embedding: EmbeddingSpec): Promise<EmbedAnswer> => {
      const fromMs = performance.now()
      const answer = await deps.embedder.embed(
        picture!,
        { embedding, box, confidence, ...seen },
        contextOf(res).gone
      )
      embedMs += performance.now() - fromMs
      return answer
    }
    const embedded = picture === undefined ? undefined : await embed(spec.embedding)
    const reader = await acquire(deps, spec, received)
    try {
      const queries = await queriesFor(reader, received, embedded, embed)
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
          embed: round(embedMs),
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
