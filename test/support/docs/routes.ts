// Routes of the API: from the OpenAPI document, and from the documentation.
import { descriptions } from '../../../apps/api/src/openapi/openapi-document.ts'

/** `GET /v1/jobs/:id` */
export const apiRoutes = Object.keys(descriptions)

/** Path that pages shorten to three dots when they repeat it. */
const repeated = '/v1/collections/:c'
const named = /`(GET|HEAD|POST|PUT|PATCH|DELETE) ((?:\.\.\.|\/)[^\s`?]*)/g

/** Returns the routes that a page names in backticks, each once. */
export function namedRoutes(content: string): string[] {
  const found = [...content.matchAll(named)].map(
    ([, method, path]) => `${method} ${path!.replace(/^\.\.\./, repeated)}`
  )
  return [...new Set(found)]
}

/** Returns whether a request would reach a route. */
export function isRouted(method: string, path: string): boolean {
  return apiRoutes.some((route) => {
    const [of, pattern] = route.split(' ') as [string, string]
    return of === method && new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`).test(path)
  })
}

const flagsWithValue = new Set(['-H', '-d', '-F', '-o', '-X', '-w', '--data-binary', '-T'])

/** Returns method and path of a curl command; undefined when the command has no address. */
export function requestOf(args: readonly string[]): { method: string; path: string } | undefined {
  let method: string | undefined
  let url: string | undefined
  for (let at = 0; at < args.length; at++) {
    const arg = args[at]!
    if (arg === '-X') method = args[at + 1]
    else if (['-d', '-F', '--data-binary'].includes(arg)) method ??= 'POST'
    if (flagsWithValue.has(arg)) at++
    else if (!arg.startsWith('-')) url = arg
  }
  if (url === undefined) return undefined
  const path = url.replace(/^(https?:\/\/)?[^/]*/, '').replace(/\?.*$/, '')
  return { method: method ?? 'GET', path }
}
