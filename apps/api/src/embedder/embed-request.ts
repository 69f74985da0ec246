// Sends an HTTP request to an embed server: keep-alive, deadline, and the failures that another
// embed server may cure.
import { Agent, type IncomingMessage, request } from 'node:http'
import { z } from 'zod'
import { appError, isErrorCode } from '@likeness/shared/errors'

export interface EmbedReply {
  body: Buffer
  contentType: string
}

/**
 * Another embed server may answer. `refused`: this embed server had not accepted the request.
 * `busy`: it is well, and has too much to do.
 */
export class EmbedderDown extends Error {
  readonly refused: boolean
  readonly busy: boolean
  constructor(
    message: string,
    { refused, busy = false, cause }: { refused: boolean; busy?: boolean; cause?: unknown }
  ) {
    super(message, { cause })
    this.name = 'EmbedderDown'
    this.refused = refused
    this.busy = busy
  }
}

export interface EmbedCall {
  /** POST unless given. */
  method?: 'GET'
  /** Path and query, e.g. /thumbnail?width=160. */
  path: string
  body: Uint8Array
  deadlineMs: number
  signal?: AbortSignal
}

const maxReplyBytes = 64 * 1024 * 1024
const problemSchema = z.object({ code: z.string(), detail: z.string().optional() })

export const createEmbedAgent = (): Agent =>
  new Agent({ keepAlive: true, maxSockets: 256, maxFreeSockets: 32 })

async function readReply(response: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxReplyBytes) throw new Error('the reply is too long')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/**
 * Returns the embed server's own problem with the same code. An answer that is not a problem of
 * ours becomes `internal`.
 */
function problemError(status: number, body: Buffer): Error {
  let problem: z.infer<typeof problemSchema> | undefined
  try {
    problem = problemSchema.parse(JSON.parse(body.toString('utf8')))
  } catch {
    // Not a problem document: only the status is known.
    problem = undefined
  }
  if (status >= 500)
    return new EmbedderDown(`the embed server answered ${status} ${problem?.code ?? ''}`, {
      refused: status === 503,
      busy: problem?.code === 'overloaded'
    })
  if (problem !== undefined && isErrorCode(problem.code) && problem.code !== 'unauthorized')
    return appError(problem.code, problem.detail ?? problem.code)
  return appError('internal', 'the embed server refused the request', {
    cause: new Error(`embed server status ${status}`)
  })
}

const refusals = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'EAI_AGAIN',
  'ETIMEDOUT'
])

/**
 * Rejects with EmbedderDown, with the embed server's AppError, or with embedder_unavailable past
 * the deadline.
 */
export function callEmbedder(
  target: { agent: Agent; url: string; secret: string },
  call: EmbedCall
): Promise<EmbedReply> {
  const timeout = AbortSignal.timeout(Math.max(1, call.deadlineMs))
  const signal = call.signal === undefined ? timeout : AbortSignal.any([timeout, call.signal])
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException): void => {
      if (timeout.aborted)
        reject(
          appError('embedder_unavailable', 'the embedder did not answer in time', {
            cause: error,
            retryAfterS: 5
          })
        )
      else
        reject(
          new EmbedderDown(error.message, {
            refused: refusals.has(error.code ?? ''),
            cause: error
          })
        )
    }
    const headers = {
      authorization: `Bearer ${target.secret}`,
      'content-type': 'application/octet-stream',
      'content-length': call.body.byteLength,
      'x-deadline-ms': Math.max(1, Math.round(call.deadlineMs))
    }
    const outgoing = request(new URL(call.path, target.url), {
      method: call.method ?? 'POST',
      agent: target.agent,
      headers,
      signal
    })
    outgoing.once('error', failed)
    outgoing.once('response', (response) => {
      readReply(response).then((body) => {
        const status = response.statusCode ?? 0
        if (status === 200) resolve({ body, contentType: response.headers['content-type'] ?? '' })
        else reject(problemError(status, body))
      }, failed)
    })
    outgoing.end(call.body)
  })
}
