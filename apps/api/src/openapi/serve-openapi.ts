// GET /v1/openapi.json: every mounted route, this route too.
import type { Route } from '../http/route.ts'
import { openapiDocument } from './openapi-document.ts'

/** `others`: the routes beside this route. */
export function openapi(others: readonly Route[]): Route {
  let text: string | undefined
  const route: Route = {
    method: 'get',
    path: '/v1/openapi.json',
    handle(_req, res) {
      text ??= JSON.stringify(openapiDocument([...others, route]))
      res.type('application/json').send(text)
    }
  }
  return route
}
