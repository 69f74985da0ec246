// Tests the S3 store with answers that a healthy server does not give. The contract suite uses a
// real server.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { afterEach, expect, it } from 'vitest'
import type { ObjectStore } from './object-store.ts'
import { openObjectStore, parseS3Url } from './open-store.ts'
import { parsePage } from './s3-list.ts'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

const undo: (() => void)[] = []
afterEach(() => undo.splice(0).forEach((run) => run()))

/**
 * Returns a store on a fake server. The server answers bucket checks itself, and each other request
 * with the next of the answers.
 */
async function storeAnswering(
  ...answers: Answer[]
): Promise<{ store: ObjectStore; requests: string[] }> {
  const requests: string[] = []
  const server = createServer((request, response) => {
    request.resume().on('end', () => {
      if (request.url === '/bucket') return response.end()
      requests.push(`${request.method} ${request.url?.replace(/^\/bucket\//, '')}`)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      answer?.(request, response)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // Short timeout only for tests that must reach it.
  const timeoutMs = answers.some((one) => one === silent || one === stopped) ? 1_000 : 60_000
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const store = await openObjectStore({
    url: 's3://bucket',
    s3: { endpoint, accessKey: 'a', secretKey: 's', timeoutMs }
  })
  undo.push(
    () => void store.close(),
    () => server.closeAllConnections(),
    () => server.close()
  )
  return { store, requests }
}

const failing =
  (status: number, code: string): Answer =>
  (_, response) => {
    response.writeHead(status).end(`<Error><Code>${code}</Code><Message>m</Message></Error>`)
  }
const reset: Answer = (request) => request.socket.destroy()
const silent: Answer = () => {}
const stopped: Answer = (_, response) =>
  void response.writeHead(200, { 'content-length': '100', etag: '"e"' }).write('half')
const written: Answer = (_, response) => response.setHeader('etag', '"e1"').end()
const body = Buffer.from('body')

it.each<[string, Answer]>([
  ['a reset connection', reset],
  ['no answer in time', silent],
  ['500', failing(500, 'InternalError')],
  ['503', failing(503, 'SlowDown')],
  ['an unknown status', failing(418, 'Teapot')],
  ['an answer without an etag', (_, response) => response.end()]
])('sends a write once and answers store_unavailable to %s', async (_, answer) => {
  const { store, requests } = await storeAnswering(answer)
  const failure = { code: 'store_unavailable', retryable: true }
  await expect(store.putIf('k', body, { ifMatch: 'e0' })).rejects.toMatchObject(failure)
  await expect(store.put('k', body)).rejects.toMatchObject(failure)
  expect(requests).toEqual(['PUT k', 'PUT k'])
})

it('reads again after a failure, and gives up after three times', async () => {
  const { store, requests } = await storeAnswering(reset, failing(503, 'SlowDown'), (_, response) =>
    response.setHeader('etag', '"e"').end('found')
  )
  expect(Buffer.from((await store.get('k'))?.body ?? []).toString()).toBe('found')
  expect(requests).toHaveLength(3)
  const broken = await storeAnswering(reset)
  await expect(broken.store.head('k')).rejects.toMatchObject({ code: 'store_unavailable' })
  expect(broken.requests).toHaveLength(3)
})

it('does not take a missing bucket or a refusal for a missing object', async () => {
  for (const [status, code] of [
    [404, 'NoSuchBucket'],
    [403, 'AccessDenied']
  ] as const) {
    const { store, requests } = await storeAnswering(failing(status, code))
    await expect(store.get('k')).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(requests).toHaveLength(1)
  }
})

it('sends a conditional write again when the server says that it did nothing because of a conflict', async () => {
  const { store, requests } = await storeAnswering(
    failing(409, 'ConditionalRequestConflict'),
    failing(409, 'OperationAborted'),
    written
  )
  expect(await store.putIf('k', body, { create: true })).toEqual({ etag: 'e1' })
  expect(requests).toHaveLength(3)
})

it('says that the condition did not hold to 412, and to 404 for a replacement', async () => {
  const { store } = await storeAnswering(failing(412, 'PreconditionFailed'))
  expect(await store.putIf('k', body, { create: true })).toBeUndefined()
  const missing = await storeAnswering(failing(404, 'NoSuchKey'))
  expect(await missing.store.putIf('k', body, { ifMatch: 'e0' })).toBeUndefined()
})

it('sends the conditions as headers', async () => {
  const headers: unknown[] = []
  const { store } = await storeAnswering((request, response) => {
    headers.push([
      request.headers['if-match'],
      request.headers['if-none-match'],
      request.headers['x-amz-meta-if-match']
    ])
    written(request, response)
  })
  await store.putIf('k', body, { ifMatch: 'e0' })
  await store.putIf('k', body, { create: true })
  expect(headers).toEqual([
    ['"e0"', undefined, undefined],
    [undefined, '*', undefined]
  ])
})

it('fails a stream that ends too early or stops', async () => {
  const half: Answer = (request, response) => {
    response.writeHead(200, { 'content-length': '100', etag: '"e"' }).write('half')
    setTimeout(() => request.socket.destroy(), 20)
  }
  for (const answer of [half, stopped]) {
    const { store } = await storeAnswering(answer)
    await expect((await store.getStream('k'))?.toArray()).rejects.toMatchObject({
      code: 'store_unavailable'
    })
    await expect(store.get('k')).rejects.toMatchObject({ code: 'store_unavailable' })
  }
})

it('aborts the multipart upload of a stream whose part fails', async () => {
  const started: Answer = (_, response) => {
    response.end(
      '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>'
    )
  }
  const ended: Answer = (_, response) => response.writeHead(204).end()
  const { store, requests } = await storeAnswering(
    started,
    written,
    failing(500, 'InternalError'),
    ended
  )
  const source = Readable.from([Buffer.alloc(9e6), Buffer.alloc(9e6)], { objectMode: false })
  await expect(store.putStream('k', source, { maxBytes: 1e9 })).rejects.toMatchObject({
    code: 'store_unavailable'
  })
  expect(requests).toEqual([
    'POST k?uploads',
    'PUT k?partNumber=1&uploadId=u1',
    'PUT k?partNumber=2&uploadId=u1',
    'DELETE k?uploadId=u1'
  ])
  expect(source.destroyed).toBe(true)
})

it('reads a page of a list whatever its keys look like', () => {
  const contents = (key: string) =>
    `<Contents><Key>${key}</Key><LastModified>2026-01-02T03:04:05.678Z</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size></Contents>`
  const page = (encoding: string, key: string) =>
    parsePage(
      `<ListBucketResult>${encoding}<IsTruncated>false</IsTruncated>${contents(key)}</ListBucketResult>`,
      'p/'
    )
  const keyOf = (encoding: string, key: string) => page(encoding, key).objects[0]?.key
  for (const key of ['007', '1e5', '0x10', 'true'])
    expect(keyOf('<EncodingType>url</EncodingType>', `p%2F${key}`)).toBe(key)
  expect(keyOf('<EncodingType>url</EncodingType>', 'p%2Fa+b%2Bc%26')).toBe('a b+c&')
  expect(keyOf('', 'p/a+b &amp;&#x7ea2;')).toBe('a+b &红')
  expect(page('', 'p/a').objects).toEqual([
    { key: 'a', sizeBytes: 7, etag: 'e', lastModifiedMs: Date.UTC(2026, 0, 2, 3, 4, 5, 678) }
  ])
  expect(() => parsePage('<html>proxy</html>', '')).toThrow('no list')
})

it('understands the addresses of stores and no others', async () => {
  expect(parseS3Url('s3://bucket')).toEqual({ bucket: 'bucket', prefix: '' })
  expect(parseS3Url('s3://bucket/')).toEqual({ bucket: 'bucket', prefix: '' })
  expect(parseS3Url('s3://my.bucket/a/b')).toEqual({ bucket: 'my.bucket', prefix: 'a/b' })
  for (const url of ['', 'dir:', 's3://', 's3://B', '/path', 'http://x']) {
    await expect(openObjectStore({ url }), url).rejects.toMatchObject({ code: 'invalid_request' })
  }
  await expect(openObjectStore({ url: 's3://bucket' })).rejects.toMatchObject({
    code: 'invalid_request'
  })
})
