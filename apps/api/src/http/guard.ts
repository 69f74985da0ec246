// Access checks: Host and Origin against DNS rebinding and foreign pages, the API key, and the
// headers that keep browsers strict.
import { timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { sha256Of } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/
const hostPattern = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/
/** Health checks come from orchestrators that address the process by IP. */
const unguarded = new Set(['/livez', '/readyz'])

export const isLoopbackHost = (host: string): boolean => loopback.test(host) || host === '::1'

function isServed(authority: string, allowed: ReadonlySet<string>): boolean {
  const name = hostPattern.exec(authority)?.[1]
  return name !== undefined && (loopback.test(name) || allowed.has(name) || allowed.has(authority))
}

function checkOrigin(req: Request, authority: string, allowed: ReadonlySet<string>): void {
  const origin = req.get('origin')?.toLowerCase()
  if (origin === undefined) {
    if (req.get('sec-fetch-site') === 'cross-site' && req.path.startsWith('/v1'))
      throw appError('forbidden_origin', 'requests from other sites are refused')
    return
  }
  const match = /^https?:\/\/([^/]+)$/.exec(origin)
  const from = match?.[1]
  const name = from === undefined ? undefined : hostPattern.exec(from)?.[1]
  if (
    from !== undefined &&
    name !== undefined &&
    (from === authority || allowed.has(name) || allowed.has(from))
  )
    return
  throw appError('forbidden_origin', 'requests from another origin are refused')
}

/**
 * forbidden_origin unless Host is loopback or allowed, and Origin, when sent, is the same host or
 * allowed.
 */
export function guardOrigin(allowedHosts: readonly string[]): RequestHandler {
  const allowed = new Set(allowedHosts.map((host) => host.toLowerCase()))
  return (req, _res, next) => {
    if (unguarded.has(req.path)) return next()
    const authority = (req.get('host') ?? '').toLowerCase()
    if (!isServed(authority, allowed))
      throw appError('forbidden_origin', 'this Host is not served here; see ALLOWED_HOSTS')
    checkOrigin(req, authority, allowed)
    next()
  }
}

const digest = (text: string): Buffer => sha256Of(text)

/** unauthorized unless `Authorization: Bearer <key>`. Keys are compared in constant time. */
export function requireKey(apiKey: string | undefined): RequestHandler {
  if (apiKey === undefined) return (_req, _res, next) => next()
  const expected = digest(apiKey)
  return (req, _res, next) => {
    const given = /^Bearer +(\S+)$/i.exec(req.get('authorization') ?? '')?.[1]
    if (given === undefined || !timingSafeEqual(digest(given), expected))
      throw appError('unauthorized', 'send Authorization: Bearer <API_KEY>')
    next()
  }
}

export const contentSecurityPolicy =
  "default-src 'self'; img-src 'self' blob: data:; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

export const securityHeaders: RequestHandler = (_req, res, next) => {
  res.setHeader('content-security-policy', contentSecurityPolicy)
  res.setHeader('x-content-type-options', 'nosniff')
  res.setHeader('referrer-policy', 'no-referrer')
  res.setHeader('cross-origin-resource-policy', 'same-origin')
  res.setHeader('x-frame-options', 'DENY')
  next()
}
