// Builds the OpenAPI 3.1 document from the mounted routes and their descriptions.
import { STATUS_CODES } from 'node:http'
import { appError, type ErrorCode } from '@likeness/shared/errors'
import type { Route } from '../http/route.ts'
import { collectionRoutes } from './describe-collections.ts'
import { ingestionRoutes } from './describe-ingestion.ts'
import { itemRoutes } from './describe-items.ts'
import { maintenanceRoutes } from './describe-maintenance.ts'
import { profileRoutes } from './describe-profiles.ts'
import { jobRoutes, searchRoutes, serviceRoutes } from './describe-service.ts'
import {
  type AnswerDescription,
  answerHeaders,
  type RouteDescription,
  type RouteDescriptions,
  tags
} from './route-description.ts'
import {
  type JsonSchema,
  oneOf,
  queryParameters,
  refTo,
  schemaComponents
} from './schema-components.ts'

export type MountedRoute = Pick<Route, 'method' | 'path'>

export const descriptions: RouteDescriptions = {
  ...collectionRoutes,
  ...profileRoutes,
  ...ingestionRoutes,
  ...itemRoutes,
  ...maintenanceRoutes,
  ...searchRoutes,
  ...jobRoutes,
  ...serviceRoutes
}

const pathParameters: Record<string, JsonSchema> = {
  alias: { description: 'A name that no collection has.', schema: { type: 'string' } },
  c: { description: 'Name of a collection, or an alias.', schema: { type: 'string' } },
  id: { description: 'Percent-encoded.', schema: { type: 'string' } },
  name: { description: 'Name of a snapshot.', schema: { type: 'string' } },
  profile: {
    description: 'Name of a profile; to read it also NAME@VERSION.',
    schema: { type: 'string' }
  }
}

const idempotencyHeader = {
  name: 'idempotency-key',
  in: 'header',
  required: false,
  schema: { type: 'string', maxLength: 200 },
  description: 'The same key again returns the first answer; with another request it is refused.'
}

const encodedAsJson = new Set(['object', 'array'])

function bodyContent(
  media: string,
  name: NonNullable<RouteDescription['body']>[string],
  schemas: Record<string, JsonSchema>
): JsonSchema {
  if (media !== 'multipart/form-data') return { schema: refTo(name) }
  const properties = Object.entries((schemas[name]!.properties ?? {}) as Record<string, JsonSchema>)
  const json = properties
    .filter(([, schema]) => '$ref' in schema || encodedAsJson.has(String(schema.type)))
    .map(([field]) => [field, { contentType: 'application/json' }])
  return { schema: refTo(name), ...(json.length > 0 && { encoding: Object.fromEntries(json) }) }
}

/** Error codes of a route: the general codes and the route's own codes. */
function codesOf(
  { path }: MountedRoute,
  { body, query, idempotent, codes = [] }: RouteDescription
): ErrorCode[] {
  if (!path.startsWith('/v1')) return [...codes]
  const every: ErrorCode[] = [
    'unauthorized',
    'forbidden_origin',
    'overloaded',
    'store_unavailable',
    'internal'
  ]
  if (body !== undefined || query !== undefined || idempotent) every.unshift('invalid_request')
  if (body !== undefined) every.push('too_large', 'unsupported_media_type')
  if (idempotent) every.push('idempotency_mismatch', 'idempotency_in_progress')
  return [...new Set([...every, ...codes])]
}

function answer({ description, content, headers = [] }: AnswerDescription): JsonSchema {
  const bodies = Object.entries(content).map(([media, names]) => [
    media,
    names.length === 0 ? {} : { schema: oneOf(names) }
  ])
  return {
    description,
    ...(bodies.length > 0 && { content: Object.fromEntries(bodies) }),
    ...(headers.length > 0 && {
      headers: Object.fromEntries(headers.map((name) => [name, answerHeaders[name]]))
    })
  }
}

function problems(codes: readonly ErrorCode[]): Record<number, JsonSchema> {
  const statusOf = (code: ErrorCode): number => appError(code, '').status
  const content = { 'application/problem+json': { schema: refTo('Problem') } }
  const described = (status: number): JsonSchema => {
    const names = codes.filter((code) => statusOf(code) === status).map((code) => `\`${code}\``)
    return { description: `${STATUS_CODES[status]}: ${names.join(', ')}.`, content }
  }
  return Object.fromEntries(codes.map(statusOf).map((status) => [status, described(status)]))
}

function operation(
  route: MountedRoute,
  described: RouteDescription,
  schemas: Record<string, JsonSchema>
): JsonSchema {
  const { tag, summary, description, query, body, bodyOptional, idempotent, answers } = described
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    ...pathParameters[name!]
  }))
  const parameters = [
    ...inPath,
    ...(query === undefined ? [] : queryParameters(query)),
    ...(idempotent ? [idempotencyHeader] : [])
  ]
  const content = Object.entries(body ?? {}).map(([media, name]) => [
    media,
    bodyContent(media, name, schemas)
  ])
  const replay = idempotent ? { headers: ['idempotent-replay'] as const } : {}
  return {
    tags: [tag],
    summary,
    ...(description !== undefined && { description }),
    ...(parameters.length > 0 && { parameters }),
    ...(content.length > 0 && {
      requestBody: { required: bodyOptional !== true, content: Object.fromEntries(content) }
    }),
    responses: {
      ...problems(codesOf(route, described)),
      ...Object.fromEntries(
        Object.entries(answers).map(([status, said]) => [status, answer({ ...replay, ...said })])
      )
    },
    ...(!route.path.startsWith('/v1') && { security: [] })
  }
}

/** Builds the document. Every route must have a description. */
export function openapiDocument(routes: readonly MountedRoute[]): JsonSchema {
  const schemas = schemaComponents()
  const paths: Record<string, JsonSchema> = {}
  for (const route of routes) {
    const described = descriptions[`${route.method.toUpperCase()} ${route.path}`]
    if (described === undefined)
      throw appError('internal', `${route.method} ${route.path} is not described`)
    const path = route.path.replace(/:(\w+)/g, '{$1}')
    paths[path] = { ...paths[path], [route.method]: operation(route, described, schemas) }
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Likeness',
      version: '1',
      description: 'Finds the same thing again in millions of images.'
    },
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    security: [{}, { key: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'API_KEY, where the server has one.' }
      }
    }
  }
}
