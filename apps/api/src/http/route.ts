// A route as data, a route per file. Mounting groups routes by path and answers 405 for the other
// methods.
import { type Request, type Response, Router } from 'express'
import {
  maxExportsAtOnce,
  maxReadsAtOnce,
  maxSearchesAtOnce,
  maxWritesAtOnce
} from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'
import { createGate, type Gate } from './gate.ts'
import { contextOf } from './request-context.ts'

export type GateName = 'searches' | 'writes' | 'reads' | 'exports'

export interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  /**
   * The gate that limits how many of these requests run at a time. Absent: `writes`, and none for a
   * GET, which is cheap.
   */
  gate?: GateName
  /** Sends the answer or throws. A rejection becomes a problem. */
  handle: (req: Request, res: Response) => Promise<void> | void
}

const newGates = (): Record<GateName, Gate> => ({
  searches: createGate('searches', { running: maxSearchesAtOnce }),
  writes: createGate('writes', { running: maxWritesAtOnce }),
  reads: createGate('reads', { running: maxReadsAtOnce }),
  exports: createGate('exports', { running: maxExportsAtOnce })
})

/** Lets the next request in. For a route that has only its answer left to send to a slow client. */
export const leaveGate = (res: Response): void =>
  (res.locals.leaveGate as (() => void) | undefined)?.()

async function handle(
  { method, gate = method === 'get' ? undefined : 'writes', handle }: Route,
  gates: Record<GateName, Gate>,
  req: Request,
  res: Response
) {
  if (gate === undefined) return await handle(req, res)
  res.locals.leaveGate = await gates[gate].enter(contextOf(res).gone)
  try {
    await handle(req, res)
  } finally {
    leaveGate(res)
  }
}

export function mountRoutes(routes: readonly Route[], gates = newGates()): Router {
  const router = Router({ caseSensitive: true, strict: true })
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path)
    const mounted = router.route(path)
    for (const route of here)
      mounted[route.method](async (req: Request, res: Response) => handle(route, gates, req, res))
    const allow = here.map((route) => route.method.toUpperCase()).join(', ')
    mounted.all((req: Request, res: Response) => {
      res.setHeader('allow', allow)
      throw appError('method_not_allowed', `${req.method} is not possible here; ${allow} is`)
    })
  }
  return router
}

/** Returns a path parameter, decoded. */
export function pathParameter(req: Request, name: string): string {
  const value = req.params[name]
  return typeof value === 'string' ? value : ''
}
