import { afterEach, beforeEach, expect, test } from 'vitest'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { codeOf, embedding, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
})
afterEach(() => api.stop())

const learned = {
  from: 'collection marks',
  by: 'views',
  judged_by: 'views',
  pictures: 100,
  held_out: 20,
  before: embedding.version,
  r1_raw: 0.5,
  r1_before: 0.6,
  r1_after: 0.7
}
const projectionOf = (first: number): Uint8Array<ArrayBuffer> =>
  new Uint8Array(Float32Array.of(first, 0, 0, 0, 1, 0).buffer)

function put(
  name: string,
  {
    first = 1,
    more = {},
    projection = projectionOf(first),
    headers = {}
  }: {
    first?: number
    more?: object
    projection?: Uint8Array<ArrayBuffer>
    headers?: Record<string, string>
  } = {}
): Promise<Response> {
  const body = new FormData()
  const sha256 = sha256Hex(projectionOf(first))
  body.set(
    'profile',
    JSON.stringify({
      model: 'test@1',
      model_sha256: 'a'.repeat(64),
      raw_dim: 2,
      dim: 2,
      sha256,
      learned,
      ...more
    })
  )
  body.set('projection', new Blob([projection]), 'projection')
  return api.fetch(`/v1/profiles/${name}`, { method: 'PUT', body, headers })
}
const create = (body: object): Promise<Response> =>
  api.post('/v1/collections', { name: 'marks', ...body })

test('a profile is stored by name and version, listed and shown, and the same key gives the first answer', async () => {
  const first = (await (
    await put('cars', { headers: { 'idempotency-key': 'k' } })
  ).json()) as StoredProfile
  expect(first).toMatchObject({ name: 'cars', model: 'test@1', dim: 2, learned })
  expect(await (await put('cars', { headers: { 'idempotency-key': 'k' } })).json()).toEqual(first)
  const second = (await (await put('cars', { first: 2 })).json()) as StoredProfile
  expect(await (await api.fetch('/v1/profiles/cars')).json()).toMatchObject({
    version: second.version
  })
  expect(await (await api.fetch(`/v1/profiles/cars@${first.version}`)).json()).toEqual(first)
  expect(
    ((await (await api.fetch('/v1/profiles')).json()) as { profiles: StoredProfile[] }).profiles
  ).toHaveLength(2)
  expect(await codeOf(await api.fetch('/v1/profiles/bikes'))).toBe('404 profile_not_found')
  expect(
    new Uint8Array(
      await (await api.fetch(`/v1/profiles/cars@${first.version}/projection`)).arrayBuffer()
    )
  ).toEqual(projectionOf(1))
  expect(await codeOf(await api.fetch('/v1/profiles/bikes/projection'))).toBe(
    '404 profile_not_found'
  )
})

test('what is not a whole profile is refused, and nothing of it stays', async () => {
  expect(await codeOf(await put('Cars'))).toBe('400 invalid_name')
  expect(await codeOf(await put('cars', { projection: projectionOf(3) }))).toBe(
    '400 invalid_request'
  )
  expect(await codeOf(await put('cars', { more: { dim: 3 } }))).toBe('400 invalid_request')
  expect(await codeOf(await put('cars', { more: { dim: 1 } }))).toBe('400 invalid_request')
  expect(await codeOf(await put('cars', { more: { model: 'nothing' } }))).toBe(
    '400 invalid_request'
  )
  expect(
    await codeOf(
      await api.fetch('/v1/profiles/cars', {
        method: 'PUT',
        body: '{}',
        headers: { 'content-type': 'application/json' }
      })
    )
  ).toBe('415 unsupported_media_type')
  expect(await api.keys('profiles/')).toEqual([])
})

test("a collection is made with a profile: its embedding is the model's with it, and pictures go to embed-workers of that model", async () => {
  const { version } = (await (await put('cars')).json()) as StoredProfile
  const made = (await (await create({ profile: 'cars' })).json()) as { embedding: typeof embedding }
  expect(made.embedding).toEqual({ version: `test@1/cars@${version}`, dim: 2, unit: true })
  const form = (): FormData => {
    const body = new FormData()
    body.append('image', new Blob(['a picture']))
    return body
  }
  expect(
    await codeOf(await api.fetch('/v1/collections/marks/images', { method: 'POST', body: form() }))
  ).toBe('202')
  await api.fetch('/v1/collections/marks/search', { method: 'POST', body: form() })
  expect(api.embedders.queries.map((query) => query.embedding)).toEqual([made.embedding])
})

test('a profile that is not there, or of a model that no embed-worker has, makes no collection', async () => {
  expect(await codeOf(await create({ profile: 'cars' }))).toBe('404 profile_not_found')
  await put('cars', { more: { model: 'other@2' } })
  const refused = await create({ profile: 'cars' })
  expect([refused.status, await refused.json()]).toEqual([
    409,
    expect.objectContaining({
      code: 'embedding_mismatch',
      detail: expect.stringMatching(/model other@2.*have test@1/) as string
    })
  ])
  expect(await codeOf(await create({ profile: 'cars', embedding }))).toBe('400 invalid_request')
  expect(await codeOf(await create({ profile: 'no such name' }))).toBe('400 invalid_request')
})

test('an embedding of the model with a profile that nobody stored takes no pictures', async () => {
  await create({ embedding: { version: 'test@1/cars@0123456789abcdef', dim: 2, unit: true } })
  const body = new FormData()
  body.append('image', new Blob(['a picture']))
  expect(
    await codeOf(await api.fetch('/v1/collections/marks/images', { method: 'POST', body }))
  ).toBe('409 embedding_mismatch')
})
