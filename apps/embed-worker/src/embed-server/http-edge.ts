// Checks of every request to the embed server: secret, limited body, deadline, problems as JSON.
import { timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { z } from 'zod'
import { sha256Of } from '@likeness/shared/data/sha256'
import { appError, type AppError, isAppError, messageOf } from '@likeness/shared/errors'

const digest = (text: string): Buffer => sha256Of(text)

/**
 * Throws `unauthorized`. Digests have equal lengths, so the comparison tells an attacker no bit of
 * the secret.
 */
export function checkSecret(request: IncomingMessage, secret: string): void {
  if (!timingSafeEqual(digest(request.headers.authorization ?? ''), digest(`Bearer ${secret}`))) {
    throw appError('unauthorized', 'the embed server needs its bearer secret')
  }
}

/** Size of the body by its header; `mostBytes` where the header is missing or says more. */
export function announcedBytes({ headers }: IncomingMessage, mostBytes: number): number {
  const announced = Number(headers['content-length'] ?? mostBytes)
  return announced <= mostBytes ? announced : mostBytes
}

/** Rejects with `too_large` as soon as the body is known to be longer than `maxBytes`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const tooLarge = () =>
    appError('too_large', `a picture has at most ${maxBytes} bytes`, { detail: { maxBytes } })
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) throw tooLarge()
  const parts: Buffer[] = []
  let sizeBytes = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length
    if (sizeBytes > maxBytes) throw tooLarge()
    parts.push(part)
  }
  return Buffer.concat(parts)
}

/** Parses the `?options=` parameter; invalid_request. */
export function parseOptions<T extends z.ZodType>(url: URL, schema: T): z.output<T> {
  let value: unknown
  try {
    value = JSON.parse(url.searchParams.get('options') ?? '')
  } catch (error) {
    throw appError('invalid_request', `options is not JSON: ${messageOf(error)}`)
  }
  const parsed = schema.safeParse(value)
  if (!parsed.success)
    throw appError(
      'invalid_request',
      parsed.error.issues
        .map((issue) => `options.${issue.path.join('.')}: ${issue.message}`)
        .join('; ')
    )
  return parsed.data
}

const longestMs = 120_000
const defaultMs = 30_000

/**
 * Aborts when the caller's deadline (header `x-deadline-ms`, milliseconds from now) has passed or
 * the caller has gone.
 */
export function requestSignal(request: IncomingMessage, response: ServerResponse): AbortSignal {
  const asked = Number(request.headers['x-deadline-ms'] ?? defaultMs)
  const deadlineMs = Number.isFinite(asked) ? Math.min(longestMs, Math.max(1, asked)) : defaultMs
  const controller = new AbortController()
  const timer = setTimeout(
    () =>
      controller.abort(
        appError('overloaded', `not embedded within ${deadlineMs} ms`, { retryAfterS: 1 })
      ),
    deadlineMs
  )
  response.once('close', () => {
    clearTimeout(timer)
    controller.abort(appError('overloaded', 'the caller has gone'))
  })
  return controller.signal
}

export function toAppError(error: unknown): AppError {
  return isAppError(error)
    ? error
    : appError('internal', 'something unexpected went wrong', { cause: error })
}

export function sendProblem(
  request: IncomingMessage,
  response: ServerResponse,
  error: AppError
): void {
  if (response.destroyed || response.headersSent) return void response.destroy()
  const requestId = request.headers['x-request-id']
  const problem = {
    type: 'about:blank',
    title: error.code.replaceAll('_', ' '),
    status: error.status,
    code: error.code,
    detail: error.message,
    ...(typeof requestId === 'string' && { request_id: requestId }),
    ...error.detail
  }
  if (error.retryAfterS !== undefined) response.setHeader('retry-after', error.retryAfterS)
  // Otherwise an unread body would be taken for the next request.
  if (!request.complete) response.setHeader('connection', 'close')
  response
    .writeHead(error.status, { 'content-type': 'application/problem+json' })
    .end(JSON.stringify(problem))
}

export function sendJson(response: ServerResponse, body: unknown): void {
  response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}
