// A route as data, a route per file. Mounting groups routes by path and answers 405 for the other
// methods.
import { type Request, type Response, Router } from 'express'
import { appError } from '@likeness/shared/errors'

export interface Route {
  method: 'get' | 'post' | 'put' | 'patch' | 'delete'
  path: string
  /** Sends the answer or throws. A rejection becomes a problem. */
  handle: (req: Request, res: Response) => Promise<void> | void
}

export function mountRoutes(routes: readonly Route[]): Router {
  const router = Router({ caseSensitive: true, strict: true })
  for (const path of new Set(routes.map((route) => route.path))) {
    const here = routes.filter((route) => route.path === path)
    const mounted = router.route(path)
    for (const route of here)
      mounted[route.method](async (req: Request, res: Response) => route.handle(req, res))
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
