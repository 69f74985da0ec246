// The context of a request: id, log, and a signal that aborts when the client is gone.
import type { Request, RequestHandler, Response } from 'express'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'

export interface RequestContext {
  requestId: string
  logger: Logger
  startedAtMs: number
  /** Aborts when the connection closes before the answer is sent. */
  gone: AbortSignal
}

const sanePattern = /^[A-Za-z0-9._-]{1,64}$/

/** Returns the context that `requestContext` put on the response. */
export const contextOf = (res: Response): RequestContext => res.locals.context as RequestContext

/**
 * Makes or accepts `x-request-id`, returns it in the answer, and logs each finished request once.
 */
export function requestContext({
  logger,
  clock
}: {
  logger: Logger
  clock: Clock
}): RequestHandler {
  return (req: Request, res: Response, next) => {
    const given = req.get('x-request-id')
    const requestId =
      given !== undefined && sanePattern.test(given) ? given : createUlid(clock.nowMs())
    const gone = new AbortController()
    const context: RequestContext = {
      requestId,
      logger: logger.child({ requestId }),
      startedAtMs: clock.nowMs(),
      gone: gone.signal
    }
    res.locals.context = context
    res.setHeader('x-request-id', requestId)
    const path = req.path
    res.once('close', () => {
      if (!res.writableFinished) gone.abort()
      const level = req.method === 'GET' || req.method === 'HEAD' ? 'debug' : 'info'
      context.logger[level](
        {
          method: req.method,
          path,
          status: res.statusCode,
          ms: clock.nowMs() - context.startedAtMs,
          sent: res.writableFinished
        },
        'request'
      )
    })
    next()
  }
}
