// A small server with the API's HTTP contract and headers, so that the page can be driven without the stack.
import { readFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { extname, join, normalize } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { contentSecurityPolicy } from '../../apps/api/src/http/guard.ts'
import { createFakeGallery, type FakeCollection, type FakeGallery, type Upload } from './fake-gallery.ts'

const publicDir = fileURLToPath(new URL('../../apps/api/public/', import.meta.url))
const mediaTypes: Record<string, string> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' }

class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string, detail: string) {
    super(detail)
    this.status = status
    this.code = code
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown) {
  response.writeHead(status, { 'content-type': status < 400 ? 'application/json' : 'application/problem+json' })
  response.end(JSON.stringify(body))
}

async function sendFile(response: ServerResponse, path: string) {
  const file = normalize(join(publicDir, path === '/' ? 'index.html' : path))
  if (!file.startsWith(publicDir)) throw new Refusal(404, 'route_not_found', path)
  const body = await readFile(file).catch(() => { throw new Refusal(404, 'route_not_found', path) })
  response.writeHead(200, { 'content-type': mediaTypes[extname(file)] ?? 'application/octet-stream' })
  response.end(body)
}

async function readForm(request: IncomingMessage): Promise<FormData> {
  const headers = { 'content-type': request.headers['content-type'] ?? '' }
  return new Response(await buffer(request), { headers }).formData()
}

/** label and id hold for the files after them. */
async function uploadsOf(form: FormData): Promise<Upload[]> {
  const uploads: Upload[] = []
  let label: string | null = null
  let id: string | null = null
  for (const [name, value] of form) {
    if (name === 'label') label = String(value)
    else if (name === 'id') id = String(value)
    else if (typeof value !== 'string') uploads.push({ id, label, fileName: value.name, bytes: Buffer.from(await value.arrayBuffer()) })
  }
  return uploads
}

async function search(gallery: FakeGallery, collection: FakeCollection, request: IncomingMessage) {
  const form = await readForm(request)
  const image = form.get('image')
  if (image === null || typeof image === 'string') throw new Refusal(400, 'invalid_request', 'no picture in the field `image`')
  const box = form.get('box')
  const answer = await gallery.search(collection, Buffer.from(await image.arrayBuffer()), {
    k: Number(form.get('k') ?? 5),
    least: Number(form.get('score_thres') ?? -1),
    box: typeof box === 'string' ? (JSON.parse(box) as [number, number, number, number]) : null
  })
  if (answer === null) throw new Refusal(422, 'image_corrupt', `${image.name} cannot be decoded`)
  return answer
}

async function route(gallery: FakeGallery, request: IncomingMessage, response: ServerResponse) {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const [, version, kind, name, part, id, file] = url.pathname.split('/').map(decodeURIComponent)
  const method = request.method ?? 'GET'
  if (version !== 'v1') return sendFile(response, url.pathname)
  if (kind === 'jobs') {
    if (name === undefined) return sendJson(response, 200, { jobs: [...gallery.jobs.values()].map((job) => ({ ...job, failed: [] })) })
    const job = gallery.jobs.get(name)
    if (job === undefined) throw new Refusal(404, 'job_not_found', name)
    const after = Number(url.searchParams.get('failed_after') ?? -1)
    return sendJson(response, 200, { ...job, failed: job.failed.filter(({ ordinal }) => ordinal > after) })
  }
  if (name === undefined) {
    if (method === 'GET') return sendJson(response, 200, { collections: [...gallery.collections.values()].map(gallery.describe) })
    const spec = JSON.parse((await buffer(request)).toString()) as { name: string }
    if (gallery.collections.has(spec.name)) throw new Refusal(409, 'collection_exists', `there is a collection ${spec.name} already`)
    return sendJson(response, 201, gallery.describe(gallery.create(spec)))
  }
  const collection = gallery.collections.get(name)
  if (collection === undefined) throw new Refusal(404, 'collection_not_found', name)
  if (part === undefined) return sendJson(response, 200, gallery.describe(collection))
  if (part === 'search') return sendJson(response, 200, await search(gallery, collection, request))
  if (part === 'images') return sendJson(response, 202, gallery.addJob(collection, await uploadsOf(await readForm(request))))
  const item = collection.items.get(id ?? '')
  if (item === undefined) throw new Refusal(404, 'item_not_found', String(id))
  if (method === 'DELETE') {
    collection.items.delete(item.id)
    collection.seq += 1
    return sendJson(response, 200, { id: item.id, index_seq: collection.seq })
  }
  if (file === undefined) throw new Refusal(404, 'route_not_found', url.pathname)
  response.writeHead(200, { 'content-type': item.bytes[0] === 0xff ? 'image/jpeg' : 'image/png' })
  response.end(item.bytes)
}

/** perPictureMs: how long one picture of a job takes. */
export async function startFakeApi({ apiKey = null, perPictureMs = 120 }: { apiKey?: string | null; perPictureMs?: number } = {}) {
  const gallery = createFakeGallery(perPictureMs)
  const server = createServer((request, response) => {
    response.setHeader('content-security-policy', contentSecurityPolicy)
    response.setHeader('x-content-type-options', 'nosniff')
    const allowed = apiKey === null || !request.url?.startsWith('/v1') || request.headers.authorization === `Bearer ${apiKey}`
    const answered = allowed ? route(gallery, request, response) : Promise.reject(new Refusal(401, 'unauthorized', 'give the API key as a bearer token'))
    answered.catch((error: unknown) => {
      const refusal = error instanceof Refusal ? error : new Refusal(500, 'internal', String(error))
      sendJson(response, refusal.status, { type: 'about:blank', title: refusal.code, status: refusal.status, code: refusal.code, detail: refusal.message, request_id: 'fake-request' })
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async stop() {
      gallery.stop()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
  }
}
