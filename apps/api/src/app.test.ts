import { writeFile } from 'node:fs/promises'
import { request } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { appError } from '@likeness/shared/errors'
import {
  codeOf,
  startTestApi,
  type TestApi,
  type TestApiOptions
} from './test-support/start-test-api.ts'

let api: TestApi
const start = async (options?: TestApiOptions) => (api = await startTestApi(options))
afterEach(() => api.stop())

/** `fetch` may not set Host and Origin. */
function get(
  path: string,
  headers: Record<string, string>,
  method = 'GET'
): Promise<{ status: number; code: string }> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${api.url}${path}`,
      { method, headers, setHost: !('host' in headers) },
      (response) => {
        let text = ''
        response.on('data', (chunk) => (text += String(chunk)))
        response.on('end', () =>
          resolve({
            status: response.statusCode!,
            code: text.startsWith('{') ? String((JSON.parse(text) as { code?: string }).code) : ''
          })
        )
      }
    )
    outgoing.on('error', reject)
    outgoing.end()
  })
}

test('another Host is refused, loopback and allowed names are served', async () => {
  await start({ settings: { allowedHosts: ['gallery.example', 'other.example:8443'] } })
  const hosts = async (host: string) => (await get('/v1/collections', { host })).status
  const port = new URL(api.url).port
  for (const good of [
    `localhost:${port}`,
    '127.0.0.1',
    '127.9.9.9:80',
    '[::1]:8080',
    'gallery.example',
    'Gallery.Example:8080',
    'other.example:8443'
  ]) {
    expect([good, await hosts(good)]).toEqual([good, 200])
  }
  for (const bad of [
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'other.example',
    'localhost:80@evil.example',
    ''
  ]) {
    expect([bad, await hosts(bad)]).toEqual([bad, 403])
  }
  expect((await get('/', { host: 'evil.example' })).code).toBe('forbidden_origin')
  expect((await get('/livez', { host: '10.0.0.7' })).status).toBe(200)
})

test('another Origin is refused for every method', async () => {
  await start({ settings: { allowedHosts: ['gallery.example'] } })
  const host = new URL(api.url).host
  const from = async (origin: string, method = 'GET') =>
    get('/v1/collections', { origin, host }, method)
  expect((await from(`http://${host}`)).status).toBe(200)
  expect((await from('https://gallery.example')).status).toBe(200)
  for (const bad of [
    'http://evil.example',
    'null',
    `http://${host}.evil.example`,
    'http://localhost:1',
    `ftp://${host}`,
    'http://'
  ]) {
    expect([bad, await from(bad)]).toEqual([bad, { status: 403, code: 'forbidden_origin' }])
  }
  for (const method of ['POST', 'DELETE', 'OPTIONS'])
    expect((await from('http://evil.example', method)).code).toBe('forbidden_origin')
  expect((await get('/v1/jobs', { host, 'sec-fetch-site': 'cross-site' })).code).toBe(
    'forbidden_origin'
  )
})

test('with an API key /v1 asks for it, page and health do not', async () => {
  await start({ settings: { apiKey: 'sixteen-characters' } })
  const ask = async (authorization?: string) =>
    codeOf(
      await api.fetch(
        '/v1/collections',
        authorization === undefined ? {} : { headers: { authorization } }
      )
    )
  expect(await ask()).toBe('401 unauthorized')
  expect(await ask('Bearer wrong')).toBe('401 unauthorized')
  expect(await ask('Basic sixteen-characters')).toBe('401 unauthorized')
  expect(await ask('Bearer sixteen-characters')).toBe('200')
  expect((await api.fetch('/v1/nothing')).headers.get('www-authenticate')).toBe('Bearer')
  expect((await api.fetch('/livez')).status).toBe(200)
})

test('every problem has type, title, status, code, detail and the request id', async () => {
  await start()
  const response = await api.fetch('/v1/nothing', { headers: { 'x-request-id': 'my-request.1' } })
  expect(response.headers.get('content-type')).toMatch(/^application\/problem\+json/)
  expect(response.headers.get('x-request-id')).toBe('my-request.1')
  expect(await response.json()).toEqual({
    type: 'urn:likeness:problem:route_not_found',
    title: 'Not Found',
    status: 404,
    code: 'route_not_found',
    detail: 'there is nothing at /v1/nothing',
    request_id: 'my-request.1'
  })
  const insane = await api.fetch('/livez', { headers: { 'x-request-id': 'a b"<>' } })
  expect(insane.headers.get('x-request-id')).toMatch(/^[0-9A-Z]{26}$/)
})

test('a wrong method is method_not_allowed and says which are possible', async () => {
  await start()
  const response = await api.fetch('/v1/collections', { method: 'DELETE' })
  expect(response.headers.get('allow')).toBe('POST, GET')
  expect(await codeOf(response)).toBe('405 method_not_allowed')
})

test('an unexpected error is internal and keeps its text to itself; a broken store says when to try again', async () => {
  await start()
  api.deps.catalog.page = async () => {
    throw new Error('secret detail')
  }
  const response = await api.fetch('/v1/collections')
  const text = await response.text()
  expect(response.status).toBe(500)
  expect(JSON.parse(text)).toMatchObject({ code: 'internal' })
  expect(text).not.toContain('secret')
  api.deps.catalog.page = async () => {
    throw appError('store_unavailable', 'the store is away')
  }
  const away = await api.fetch('/v1/collections')
  expect(away.headers.get('retry-after')).toBe('1')
  expect(await codeOf(away)).toBe('503 store_unavailable')
})

test('broken JSON, no JSON, too much JSON and bad paths have their codes', async () => {
  await start()
  const send = async (body: string, type = 'application/json') =>
    codeOf(
      await api.fetch('/v1/collections', {
        method: 'POST',
        body,
        headers: { 'content-type': type }
      })
    )
  expect(await send('{"name":')).toBe('400 invalid_request')
  expect(await send('')).toBe('400 invalid_name')
  expect(await send('{}', 'text/plain')).toBe('415 unsupported_media_type')
  expect(await send(JSON.stringify({ name: 'x'.repeat(3_000_000) }))).toBe('413 too_large')
  expect(await send('{}', 'application/json; charset=latin1')).toBe('415 unsupported_media_type')
  expect(await codeOf(await api.fetch('/v1/collections/%ff'))).toBe('400 invalid_request')
  const gzip = await api.fetch('/v1/collections', {
    method: 'POST',
    body: 'x',
    headers: { 'content-type': 'application/json', 'content-encoding': 'gzip' }
  })
  expect(await codeOf(gzip)).toBe('415 unsupported_media_type')
})

test('the page is served with strict headers, dot files are not', async () => {
  await start()
  await writeFile(join(api.dir, 'public/index.html'), '<p>page</p>')
  await writeFile(join(api.dir, 'public/.secret'), 'secret')
  const page = await api.fetch('/')
  expect(await page.text()).toBe('<p>page</p>')
  expect(page.headers.get('content-security-policy')).toContain("default-src 'self'")
  expect(page.headers.get('content-security-policy')).toContain("frame-ancestors 'none'")
  expect(page.headers.get('x-content-type-options')).toBe('nosniff')
  expect(page.headers.get('referrer-policy')).toBe('no-referrer')
  expect(page.headers.has('x-powered-by')).toBe(false)
  expect(await codeOf(await api.fetch('/.secret'))).toBe('404 route_not_found')
})

test('readyz answers for each part', async () => {
  await start({
    deps: {
      readiness: {
        store: async () => {},
        redis: async () => Promise.reject(new Error('no answer'))
      }
    }
  })
  const response = await api.fetch('/readyz')
  expect(response.status).toBe(503)
  expect(await response.json()).toEqual({
    status: 'not ready',
    parts: { store: { ok: true }, redis: { ok: false, reason: 'no answer' } }
  })
  expect((await api.fetch('/v1/status')).status).toBe(200)
})

test('stopping lets a request in flight finish and takes no new one', async () => {
  await start()
  let [finish, arrived] = [(): void => {}, (): void => {}]
  const held = new Promise<void>((resolve) => (finish = resolve))
  const inFlight = new Promise<void>((resolve) => (arrived = resolve))
  api.deps.catalog.page = async () => {
    arrived()
    await held
    return { collections: [], damaged: [], next: null }
  }
  const answer = api.fetch('/v1/collections')
  await inFlight
  const stopped = api.stop()
  const knock = () =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1')
        .on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
        .on('connect', () => socket.destroy(void resolve('connected')))
    })
  await expect.poll(knock).toBe('ECONNREFUSED')
  finish()
  expect((await answer).status).toBe(200)
  await stopped
  await start()
})
