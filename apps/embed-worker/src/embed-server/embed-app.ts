// The routes of the embed server; contract in shared/contract/embedder.
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import {
  type CompareMade,
  compareQuerySchema,
  type EmbedAnswer,
  embedQuerySchema,
  encodeRaw,
  encodeVector,
  type RankMade,
  rankQuerySchema
} from '@likeness/shared/contract/embedder'
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { Embedded } from '../child-protocol.ts'
import type { Embeddings } from '../embeddings.ts'
import type { Gate } from './gate.ts'
import {
  announcedBytes,
  checkSecret,
  parseOptions,
  readBody,
  requestSignal,
  sendJson,
  sendProblem,
  toAppError
} from './http-edge.ts'
import type { Interactive } from './interactive.ts'

export interface EmbedAppDeps {
  gate: Gate
  interactive: Interactive
  embeddings: Embeddings
  secret: string
  maxBytes: number
  logger: Logger
}
type Handler = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void>

/** Limit in bytes of a ranking: some hundred candidates with a few rows each. */
const maxRawBytes = 64 * 1024 * 1024
const thumbnailSides = { least: 16, most: 2048 }

export function createEmbedApp(deps: EmbedAppDeps): RequestListener {
  const { logger, secret, gate, maxBytes } = deps
  const routes: Record<string, { handle: Handler; mostBytes: number }> = {
    '/embed': { handle: embed(deps), mostBytes: maxBytes },
    '/compare': { handle: compare(deps), mostBytes: maxBytes },
    '/rank': { handle: rank(deps), mostBytes: maxRawBytes },
    '/thumbnail': { handle: thumbnail(deps), mostBytes: maxBytes }
  }

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://embed-server')
    if (url.pathname === '/livez' && request.method === 'GET')
      return sendJson(response, { alive: true })
    checkSecret(request, secret)
    const route = routes[url.pathname]
    if (route === undefined) throw appError('route_not_found', `there is no ${url.pathname} here`)
    if (request.method !== 'POST')
      throw appError('method_not_allowed', `${url.pathname} takes POST`)
    const leave = gate.enter(announcedBytes(request, route.mostBytes))
    try {
      await route.handle(request, response, url)
    } finally {
      leave()
    }
  }
  return (request, response) => {
    answer(request, response).catch((error: unknown) => {
      const problem = toAppError(error)
      const level = problem.status === 500 ? 'error' : 'debug'
      logger[level](
        { err: error, requestId: request.headers['x-request-id'], code: problem.code },
        'embed server request refused'
      )
      sendProblem(request, response, problem)
    })
  }
}

function embed({ interactive, embeddings, maxBytes }: EmbedAppDeps): Handler {
  return async (request, response, url) => {
    const query = parseOptions(url, embedQuerySchema)
    await embeddings.check(query.embedding)
    const bytes = await readBody(request, maxBytes)
    const startedMs = performance.now()
    const { embedding, ...how } = query
    const result = await interactive(
      { kind: 'query', bytes, ...how, embedding },
      requestSignal(request, response)
    )
    if (result.kind !== 'embedded')
      throw appError('internal', `a query was answered with what is ${result.kind}`)
    sendJson(response, toAnswer(embedding, result, performance.now() - startedMs))
  }
}

function compare({ interactive, embeddings, maxBytes }: EmbedAppDeps): Handler {
  return async (request, response, url) => {
    const query = parseOptions(url, compareQuerySchema)
    await embeddings.check(query.embedding)
    const bytes = await readBody(request, maxBytes)
    const result = await interactive(
      { kind: 'compare', bytes, ...query },
      requestSignal(request, response)
    )
    if (result.kind !== 'compared')
      throw appError('internal', `a comparison was answered with what is ${result.kind}`)
    const { kind: _, ...made } = result
    sendJson(response, made satisfies CompareMade)
  }
}

function rank({ interactive, embeddings }: EmbedAppDeps): Handler {
  return async (request, response, url) => {
    const query = parseOptions(url, rankQuerySchema)
    await embeddings.check(query.embedding)
    const body = await readBody(request, maxRawBytes)
    const rawVectors = new Uint16Array(new Uint8Array(body).buffer, 0, body.byteLength >> 1)
    const result = await interactive(
      { kind: 'rank', rawVectors, ...query },
      requestSignal(request, response)
    )
    if (result.kind !== 'ranked')
      throw appError('internal', `a ranking was answered with what is ${result.kind}`)
    sendJson(response, { alike: result.alike } satisfies RankMade)
  }
}

function thumbnail({ interactive, maxBytes }: EmbedAppDeps): Handler {
  return async (request, response, url) => {
    const longestSide = Number(url.searchParams.get('width') ?? 256)
    const { least, most } = thumbnailSides
    if (!Number.isInteger(longestSide) || longestSide < least || longestSide > most) {
      throw appError('invalid_request', `width is a whole number from ${least} to ${most}`)
    }
    const bytes = await readBody(request, maxBytes)
    const result = await interactive(
      { kind: 'thumbnail', bytes, longestSide },
      requestSignal(request, response)
    )
    if (result.kind !== 'thumbnail')
      throw appError('internal', `a thumbnail was answered with what is ${result.kind}`)
    response
      .writeHead(200, { 'content-type': 'image/jpeg', 'content-length': result.jpeg.byteLength })
      .end(result.jpeg)
  }
}

function toAnswer(
  embedding: EmbeddingSpec,
  { width, height, rows, vectors, raw, decodeMs, inferMs }: Embedded,
  totalMs: number
): EmbedAnswer {
  const objects = rows.flatMap(({ kind, box, score, className }, i) => {
    const vector = encodeVector(vectors.subarray(i * embedding.dim, (i + 1) * embedding.dim))
    const own = raw.subarray((i * raw.length) / rows.length, ((i + 1) * raw.length) / rows.length)
    return kind === 'view'
      ? []
      : [{ kind, box, score, className, vector, ...(own.length > 0 && { raw: encodeRaw(own) }) }]
  })
  return {
    embedding,
    width,
    height,
    objects,
    tookMs: { wait: Math.max(0, totalMs - decodeMs - inferMs), decode: decodeMs, infer: inferMs }
  }
}
