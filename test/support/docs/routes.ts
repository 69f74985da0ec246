// The routes of the API: those of the OpenAPI document, and those that the documentation names.
import { descriptions } from '../../../apps/api/src/openapi/openapi-document.ts'

/** `GET /v1/jobs/:id` */
export const apiRoutes = Object.keys(descriptions)

/** Pages write the beginning of a path that they repeat as three dots. */
const repeated = '/v1/collections/:c'
const named = /`(GET|HEAD|POST|PUT|PATCH|DELETE) ((?:\.\.\.|\/)[^\s`?]*)/g

/** The routes that a page names in backticks, each once. */
export function namedRoutes(content: string): string[] {
  const found = [...content.matchAll(named)].map(
    ([, method, path]) => `${method} ${path!.replace(/^\.\.\./, repeated)}`
  )
  return [...new Set(found)]
}

/** Whether a request would reach a route. */
export function isRouted(method: string, path: string): boolean {
  return apiRoutes.some((route) => {
    const [of, pattern] = route.split(' ') as [string, string]
    return of === method && new RegExp(`^${pattern.replace(/:\w+/g, '[^/]+')}$`).test(path)
  })
}

const flagsWithValue = new Set(['-H', '-d', '-F', '-o', '-X', '-w', '--data-binary', '-T'])

/** Method and path of a curl command; undefined where it names no address. */
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
