import type { Express } from 'express'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { z } from 'zod'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { createApp } from '../src/app.ts'
import { type AnswerSchemaName, answerSchemas } from '../src/openapi/answer-schemas.ts'
import { descriptions } from '../src/openapi/openapi-document.ts'
import { startTestApi, type TestApi } from '../src/test-support/start-test-api.ts'

interface Document {
  openapi: string
  paths: Record<
    string,
    Record<
      string,
      {
        responses: Record<
          string,
          { content?: Record<string, { schema?: { $ref?: string; oneOf?: { $ref: string }[] } }> }
        >
      }
    >
  >
  components: { schemas: Record<string, object> }
}
interface Layer {
  route?: { path: string; methods: Record<string, boolean> }
  handle?: { stack?: Layer[] }
}

let api: TestApi
let document: Document
beforeEach(async () => {
  api = await startTestApi()
  document = (await (await api.fetch('/v1/openapi.json')).json()) as Document
})
afterEach(() => api.stop())

/** Lists the routes of Express in the form `GET /v1/jobs/{id}`. */
function mountedIn(app: Express): string[] {
  const routesOf = (layers: readonly Layer[]): string[] =>
    layers.flatMap(({ route, handle }) => {
      if (route === undefined) return routesOf(handle?.stack ?? [])
      const methods = Object.keys(route.methods).filter((method) => method !== '_all')
      return methods.map(
        (method) => `${method.toUpperCase()} ${route.path.replace(/:(\w+)/g, '{$1}')}`
      )
    })
  return routesOf((app as unknown as { router: { stack: Layer[] } }).router.stack).sort()
}

const referencesIn = (value: unknown): string[] =>
  typeof value !== 'object' || value === null
    ? []
    : Object.entries(value).flatMap(([key, inner]) =>
        key === '$ref' ? [String(inner)] : referencesIn(inner)
      )

test('every mounted route is in the document, and nothing else', () => {
  const described = Object.entries(document.paths)
    .flatMap(([path, operations]) =>
      Object.keys(operations).map((method) => `${method.toUpperCase()} ${path}`)
    )
    .sort()
  const mounted = mountedIn(createApp(api.deps))
  expect(mounted.length).toBeGreaterThan(15)
  expect(described).toEqual(mounted)
  expect(
    Object.keys(descriptions)
      .map((route) => route.replace(/:(\w+)/g, '{$1}'))
      .sort()
  ).toEqual(mounted)
})

test('every reference leads to a schema, and every schema is referred to or named', () => {
  expect(document.openapi).toMatch(/^3\.1\./)
  const names = Object.keys(document.components.schemas)
  const used = new Set(
    referencesIn(document).map((ref) => ref.replace('#/components/schemas/', ''))
  )
  expect([...used].filter((name) => !names.includes(name))).toEqual([])
  const said = JSON.stringify(document)
  expect(names.filter((name) => !used.has(name) && !said.includes(` ${name} as `))).toEqual([])
})

function profileForm(): FormData {
  const projection = new Uint8Array(8)
  const form = new FormData()
  const learned = {
    from: 'a folder',
    by: 'views',
    judged_by: 'views',
    pictures: 100,
    held_out: 20,
    before: 'test@1/whole@1',
    r1_raw: 0.5,
    r1_before: 0.6,
    r1_after: 0.7
  }
  form.set(
    'profile',
    JSON.stringify({
      model: 'test@1',
      model_sha256: 'a'.repeat(64),
      raw_dim: 1,
      dim: 1,
      sha256: sha256Hex(projection),
      learned
    })
  )
  form.set('projection', new Blob([projection]))
  return form
}

test('what the routes answer is what the document says', async () => {
  const picture = new FormData()
  picture.append('id', 'x')
  picture.append('image', new Blob(['a picture']), 'x.png')
  api.replica.items = [
    { id: 'a', vectors: [[1, 0, 0, 0]], label: 'l', metadata: { n: 1 }, imageKey: 'a.png' }
  ]
  await api.store.put('a.png', Buffer.from('a picture'))
  const post = (body: unknown): RequestInit => ({
    method: 'POST',
    body: body instanceof FormData ? body : JSON.stringify(body),
    headers: body instanceof FormData ? {} : { 'content-type': 'application/json' }
  })
  const job = async () =>
    ((await (await api.fetch('/v1/jobs')).json()) as { jobs: { id: string }[] }).jobs[0]!.id
  const asked: [string, string | (() => Promise<string>), RequestInit?][] = [
    ['post /v1/collections', '/v1/collections', post({ name: 'marks' })],
    ['get /v1/collections', '/v1/collections'],
    ['get /v1/collections/{c}', '/v1/collections/marks'],
    [
      'put /v1/aliases/{alias}',
      '/v1/aliases/live',
      { ...post({ collection: 'marks', expected: null }), method: 'PUT' }
    ],
    ['get /v1/aliases', '/v1/aliases'],
    ['put /v1/profiles/{profile}', '/v1/profiles/cars', { method: 'PUT', body: profileForm() }],
    ['get /v1/profiles', '/v1/profiles'],
    ['get /v1/profiles/{profile}', '/v1/profiles/cars'],
    ['get /v1/profiles/{profile}', '/v1/profiles/bikes'],
    ['post /v1/collections/{c}/images', '/v1/collections/marks/images', post(picture)],
    ['get /v1/jobs', '/v1/jobs'],
    ['get /v1/jobs/{id}', async () => `/v1/jobs/${await job()}`],
    ['get /v1/collections/{c}/items/{id}', '/v1/collections/marks/items/a'],
    [
      'post /v1/collections/{c}/items/{id}/compare',
      '/v1/collections/marks/items/a/compare',
      post({ image_key: 'a.png' })
    ],
    [
      'patch /v1/collections/{c}/items/{id}',
      '/v1/collections/marks/items/a',
      { ...post({ label: 'm' }), method: 'PATCH' }
    ],
    [
      'post /v1/collections/{c}/relabel',
      '/v1/collections/marks/relabel',
      post({ ids: ['a', 'b'], metadata: {} })
    ],
    [
      'delete /v1/collections/{c}/items/{id}',
      '/v1/collections/marks/items/a',
      { method: 'DELETE' }
    ],
    ['post /v1/collections/{c}/delete', '/v1/collections/marks/delete', post({ ids: ['a'] })],
    [
      'post /v1/collections/{c}/search',
      '/v1/collections/marks/search',
      post({ vector: [1, 0, 0, 0] })
    ],
    ['delete /v1/collections/{c}', '/v1/collections/marks', { method: 'DELETE' }],
    ['delete /v1/aliases/{alias}', '/v1/aliases/live?expected=marks', { method: 'DELETE' }],
    ['get /livez', '/livez'],
    ['get /readyz', '/readyz'],
    ['get /v1/status', '/v1/status'],
    ['delete /v1/collections/{c}', '/v1/collections/marks', { method: 'DELETE' }],
    ['get /v1/collections/{c}', '/v1/collections/marks']
  ]
  for (const [route, path, init] of asked) {
    const [method, pattern] = route.split(' ') as [string, string]
    const response = await api.fetch(typeof path === 'string' ? path : await path(), init)
    const media = response.headers.get('content-type')!.split(';')[0]!
    const schema =
      document.paths[pattern]![method]!.responses[response.status]?.content?.[media]?.schema
    const names = (schema?.oneOf ?? [schema]).map(
      (one) => one?.$ref?.split('/').at(-1) as AnswerSchemaName
    )
    expect([route, response.status, names]).not.toEqual([route, response.status, [undefined]])
    const body: unknown = await response.json()
    expect([
      route,
      body,
      names.flatMap(
        (name) => (answerSchemas[name] as z.ZodType).safeParse(body).error?.issues ?? []
      )
    ]).toEqual([route, body, []])
  }
})
