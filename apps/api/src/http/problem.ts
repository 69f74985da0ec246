// Sends every error as an RFC 9457 problem with a stable code. An error that is not an AppError
// becomes `internal`, without its text.
import { STATUS_CODES } from 'node:http'
import type { ErrorRequestHandler, Request, Response } from 'express'
import type { Problem } from '@likeness/shared/contract/http/problem'
import { appError, type AppError, isAppError } from '@likeness/shared/errors'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import { discardRest } from './request-body.ts'
import { contextOf } from './request-context.ts'

export function problemOf(error: AppError, requestId: string): Problem {
  return {
    ...error.detail,
    type: `urn:likeness:problem:${error.code}`,
    title: STATUS_CODES[error.status] ?? 'Error',
    status: error.status,
    code: error.code,
    detail: error.message,
    request_id: requestId
  }
}

/**
 * Errors of Express and body-parser carry `type` and `status`. Every other unknown error is ours,
 * and its text stays hidden.
 */
export function toAppError(error: unknown): AppError {
  if (isAppError(error)) return error
  const { type, status } = (typeof error === 'object' && error !== null ? error : {}) as {
    type?: unknown
    status?: unknown
  }
  if (type === 'entity.too.large') return appError('too_large', 'the JSON body is too large')
  if (type === 'charset.unsupported') return appError('unsupported_media_type', 'JSON is UTF-8')
  if (type === 'charset.invalid') return appError('invalid_request', 'the body is not UTF-8')
  if (type === 'entity.parse.failed') return appError('invalid_request', 'the body is not JSON')
  if (type === 'request.aborted' || type === 'request.size.invalid')
    return appError('invalid_request', 'the body does not have its announced size')
  if (error instanceof URIError || (status === 400 && type === undefined))
    return appError('invalid_request', 'the path is not valid percent-encoded UTF-8')
  const failure = findMachineFailure(error)
  if (failure !== undefined)
    return appError(
      isOverload(failure.reason) ? 'overloaded' : 'store_unavailable',
      `this api process lacks something of its machine: ${failure.text}`,
      { cause: error, retryAfterS: 5, detail: { reason: failure.reason } }
    )
  return appError('internal', 'an unexpected error; the log has it under this request id', {
    cause: error
  })
}

const isOverload = (reason: string): boolean =>
  reason === 'too_many_open_files' || reason === 'out_of_memory'

export function sendProblem(res: Response, error: AppError): void {
  if (error.retryAfterS !== undefined)
    res.setHeader('retry-after', String(Math.ceil(error.retryAfterS)))
  if (error.code === 'unauthorized') res.setHeader('www-authenticate', 'Bearer')
  res
    .status(error.status)
    .type('application/problem+json')
    .send(JSON.stringify(problemOf(error, contextOf(res).requestId)))
}

/** The last middleware. Logs errors with a status of 500 or more once. */
export const problemHandler: ErrorRequestHandler = (
  thrown: unknown,
  req: Request,
  res: Response,
  _next
) => {
  const error = toAppError(thrown)
  const { logger, gone } = contextOf(res)
  if (gone.aborted)
    return void logger.debug({ code: error.code }, 'the client left before its answer')
  if (error.status >= 500)
    logger[error.retryable ? 'warn' : 'error'](
      { err: error.cause ?? error, code: error.code },
      'request failed'
    )
  if (res.headersSent) return void res.destroy()
  discardRest(req)
  sendProblem(res, error)
}
