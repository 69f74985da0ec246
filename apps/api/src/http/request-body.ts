// Reads request bodies: JSON within limits, zod at the edge, and the discarding of unread bytes.
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import express, {
  type NextFunction,
  type Request,
  type RequestHandler,
  type Response
} from 'express'
import type { z } from 'zod'
import { maxJsonBytes } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'

const jsonDeadlineMs = 30_000
const discardDeadlineMs = 10_000

const parseJson = express.json({
  limit: maxJsonBytes,
  strict: false,
  inflate: false,
  type: 'application/json',
  verify: (_req, _res, body, charset) => {
    // Other bytes would be read as U+FFFD, and texts would change in silence.
    if (charset === 'utf-8' && !isUtf8(body))
      throw Object.assign(new Error('not UTF-8'), { type: 'charset.invalid' })
  }
})

export const isJson = (req: Request): boolean => Boolean(req.is('application/json'))
export const isMultipart = (req: Request): boolean => Boolean(req.is('multipart/form-data'))

const isEmpty = ({ headers }: Request): boolean =>
  headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0'

/**
 * unsupported_media_type for a body that is packed by its content-encoding. A packed body of some
 * kilobytes may hold gigabytes, so bodies are taken as they are.
 */
export const refusePackedBodies: RequestHandler = (req, res, next) => {
  const encoding = (req.get('content-encoding') ?? '').trim().toLowerCase()
  if (encoding === '' || encoding === 'identity' || isEmpty(req)) return next()
  res.setHeader('accept-encoding', 'identity')
  throw appError(
    'unsupported_media_type',
    `content-encoding ${JSON.stringify(encoding.slice(0, 50))} is not taken: send the body without it`
  )
}

/** Returns an empty object when no body was sent; else the same as readJson. */
export const readOptionalJson = async (req: Request, res: Response): Promise<unknown> =>
  isEmpty(req) ? {} : await readJson(req, res)

/** Returns the parsed JSON body; unsupported_media_type, too_large or invalid_request otherwise. */
export async function readJson(req: Request, res: Response): Promise<unknown> {
  if (!isJson(req)) throw appError('unsupported_media_type', 'send content-type: application/json')
  const timer = setTimeout(() => req.destroy(), jsonDeadlineMs)
  try {
    await new Promise<void>((resolve, reject) => {
      const next: NextFunction = (error?: unknown) =>
        error === undefined ? resolve() : reject(error as Error)
      parseJson(req, res, next)
    })
  } finally {
    clearTimeout(timer)
  }
  if (req.body === undefined) throw appError('invalid_request', 'the body is empty')
  return req.body
}

/** invalid_request with the first 20 issues: [{path, message}]. */
export function parseRequest<T extends z.ZodType>(schema: T, value: unknown): z.output<T> {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const issues = parsed.error.issues
    .slice(0, 20)
    .map((issue) => ({ path: issue.path.join('.'), message: issue.message }))
  const first = issues[0]!
  throw appError(
    'invalid_request',
    first.path === '' ? first.message : `${first.path}: ${first.message}`,
    { detail: { issues } }
  )
}

/** Lets a client finish sending for a while, so that the client reads our answer. */
export function discardRest(req: IncomingMessage): void {
  if (req.complete || req.destroyed) return
  const timer = setTimeout(() => req.destroy(), discardDeadlineMs)
  req.once('close', () => clearTimeout(timer))
  req.once('error', () => clearTimeout(timer))
  req.unpipe()
  req.resume()
}
