// Fuzzes the HTTP api of a running stack: requests of right form, changed in one or more places. No
// answer is a 500 or a status that the OpenAPI document lacks, and the collections go on.
import { type Draw, drawFrom } from './odd-values.ts'

export interface HttpFuzzResult {
  requests: number
  /** Number of answers by status. */
  statuses: Record<string, number>
  /** Longest time of a /livez that was asked all the time, in milliseconds. */
  slowestLivezMs: number
}

interface Template {
  method: string
  /** As in the OpenAPI document. */
  route: string
  json?: unknown
  form?: Record<string, unknown>
  lines?: unknown[]
}

const name = 'fuzzed'
const settings = { view_sizes: [64], subjects: false, seal_threshold: 64 }
const vectorsName = 'fuzzed-vectors'
const dim = 4
const templates: Template[] = [
  { method: 'post', route: '/v1/collections', json: { name: 'fuzzed-more', settings } },
  { method: 'patch', route: '/v1/collections/{c}', json: { settings: { search_budget: 10 } } },
  { method: 'get', route: '/v1/collections' },
  { method: 'get', route: '/v1/collections/{c}' },
  { method: 'get', route: '/v1/jobs' },
  { method: 'get', route: '/v1/status' },
  { method: 'get', route: '/v1/aliases' },
  { method: 'put', route: '/v1/aliases/{alias}', json: { collection: name } },
  { method: 'delete', route: '/v1/aliases/{alias}' },
  {
    method: 'post',
    route: '/v1/collections/{c}/search',
    json: { vector: [1, 0, 0, 0], k: 3, filter: { label: 'a' }, group_by: 'label' }
  },
  {
    method: 'post',
    route: '/v1/collections/{c}/search',
    json: { vectors: [[1, 0, 0, 0]], k: 3, exclude: { metadata: { n: { gte: 1 } } } }
  },
  { method: 'post', route: '/v1/collections/{c}/search', json: { item_id: 'item-1', k: 2 } },
  {
    method: 'post',
    route: '/v1/collections/{c}/search',
    form: { k: 2, filter: { label: 'a' }, box: [0, 0, 1, 1], image: new Uint8Array(20) }
  },
  {
    method: 'post',
    route: '/v1/collections/{c}/images',
    form: { id: 'x', label: 'a', metadata: { n: 1 }, image: new Uint8Array(20) }
  },
  {
    method: 'post',
    route: '/v1/collections/{c}/vectors',
    lines: [{ id: 'item-1', label: 'a', metadata: { n: 1 }, vectors: [[1, 0, 0, 0]] }]
  },
  { method: 'post', route: '/v1/collections/{c}/delete', json: { ids: ['item-1', 'nobody'] } },
  { method: 'post', route: '/v1/collections/{c}/delete', json: { filter: { label: 'a' } } },
  {
    method: 'post',
    route: '/v1/collections/{c}/relabel',
    json: { ids: ['item-1'], label: 'b', metadata: { n: 2 } }
  },
  { method: 'get', route: '/v1/collections/{c}/items/{id}' },
  { method: 'patch', route: '/v1/collections/{c}/items/{id}', json: { label: 'c' } },
  { method: 'delete', route: '/v1/collections/{c}/items/{id}' },
  { method: 'get', route: '/v1/collections/{c}/items/{id}/image' },
  { method: 'get', route: '/v1/collections/{c}/items/{id}/thumbnail' },
  { method: 'get', route: '/v1/collections/{c}/vectors' },
  { method: 'get', route: '/v1/collections/{c}/snapshots' },
  { method: 'post', route: '/v1/collections/{c}/snapshots', json: { name: 's' } },
  { method: 'delete', route: '/v1/collections/{c}/snapshots/{name}' },
  { method: 'post', route: '/v1/collections/{c}/imports', json: { prefix: 'pictures/' } },
  { method: 'get', route: '/v1/profiles' },
  { method: 'get', route: '/v1/jobs/{id}' }
]

type Paths = Record<string, Record<string, { responses: Record<string, unknown> }>>

/** Throws at the first answer that must not be. `url`: of a running stack with its own store. */
export async function fuzzHttp(
  url: string,
  seed: number,
  requests: number
): Promise<HttpFuzzResult> {
  const draw = drawFrom(seed)
  const { paths } = (await (await fetch(`${url}/v1/openapi.json`)).json()) as { paths: Paths }
  await prepare(url)
  const probe = probeLivez(url)
  const result: HttpFuzzResult = { requests: 0, statuses: {}, slowestLivezMs: 0 }
  try {
    for (let n = 0; n < requests; n++) {
      const template = draw.pick(templates)
      const sent = requestOf(draw, template)
      const response = await fetch(`${url}${sent.path}`, sent.init)
      const body = await response.text()
      result.requests++
      const { status } = response
      result.statuses[status] = (result.statuses[status] ?? 0) + 1
      if (
        status === 500 ||
        !(status in (paths[template.route]?.[template.method]?.responses ?? {}))
      )
        throw new Error(
          `seed ${seed}, request ${n}: ${template.method} ${sent.path} ${sent.text.slice(0, 2_000)} -> ${status} ${body.slice(0, 500)}`
        )
    }
    await assertAlive(url)
  } finally {
    result.slowestLivezMs = await probe.stop()
  }
  return result
}

async function post(url: string, body: unknown): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    body: JSON.stringify(body),
    headers: { 'content-type': 'application/json' }
  })
}

async function prepare(url: string): Promise<void> {
  await post(`${url}/v1/collections`, { name, settings })
  const embedding = { version: 'fuzz@1/none@1', dim, unit: true }
  await post(`${url}/v1/collections`, {
    name: vectorsName,
    metric: 'cosine',
    embedding,
    settings: { seal_threshold: 8 }
  })
  await addVectors(url, 30)
}

async function addVectors(url: string, count: number): Promise<string> {
  const lines = Array.from({ length: count }, (_, i) =>
    JSON.stringify({ id: `item-${i}`, label: 'a', vectors: [[1, i, 0, 0]] })
  )
  const response = await fetch(`${url}/v1/collections/${vectorsName}/vectors`, {
    method: 'POST',
    body: lines.join('\n'),
    headers: { 'content-type': 'application/x-ndjson' }
  })
  return ((await response.json()) as { job: string }).job
}

/** New items arrive and are found: nothing that was accepted before has stopped the collection. */
async function assertAlive(url: string): Promise<void> {
  const job = await addVectors(url, 5)
  for (let tries = 0; ; tries++) {
    const { state } = (await (await fetch(`${url}/v1/jobs/${job}`)).json()) as { state: string }
    if (state === 'completed') break
    if (tries === 600) throw new Error(`the collection stands still: job ${job} is ${state}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
  const found = await post(`${url}/v1/collections/${vectorsName}/search`, {
    vector: [1, 1, 0, 0],
    consistency: 'strong'
  })
  if (found.status !== 200)
    throw new Error(`a search after it: ${found.status} ${await found.text()}`)
}

function probeLivez(url: string): { stop(): Promise<number> } {
  let isOver = false
  let slowestMs = 0
  const probing = (async () => {
    while (!isOver) {
      const startedMs = performance.now()
      await (await fetch(`${url}/livez`)).text()
      slowestMs = Math.max(slowestMs, performance.now() - startedMs)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })()
  return {
    async stop() {
      isOver = true
      await probing
      return slowestMs
    }
  }
}

interface Sent {
  path: string
  init: RequestInit
  text: string
}

/** Values of path parameters: mostly what exists. */
function parameter(draw: Draw, key: string): string {
  const known: Record<string, string[]> = {
    c: [vectorsName, vectorsName, name],
    id: ['item-1', 'item-2'],
    alias: ['alias'],
    name: ['s']
  }
  const value = draw.chance() < 0.85 ? draw.pick(known[key] ?? ['x']) : draw.text()
  return encodeURIComponent(value.toWellFormed()) || 'x'
}

function requestOf(draw: Draw, { method, route, json, form, lines }: Template): Sent {
  const path = route.replace(/\{(\w+)\}/g, (_, key: string) => parameter(draw, key))
  const init: RequestInit = { method: method.toUpperCase() }
  if (json !== undefined) {
    const text = JSON.stringify(oddly(draw, json)) ?? ''
    return {
      path,
      init: { ...init, body: text, headers: { 'content-type': 'application/json' } },
      text
    }
  }
  if (lines !== undefined) {
    const text = lines.map((line) => JSON.stringify(oddly(draw, line)) ?? '').join('\n')
    return {
      path,
      init: { ...init, body: text, headers: { 'content-type': 'application/x-ndjson' } },
      text
    }
  }
  if (form !== undefined) {
    const body = new FormData()
    const entries = Object.entries(form)
    const sent = draw.chance() < 0.3 ? entries.toReversed() : entries
    for (const [field, value] of sent) addField(draw, body, field, value)
    return { path, init: { ...init, body }, text: [...body.keys()].join() }
  }
  return { path, init, text: '' }
}

function addField(draw: Draw, body: FormData, field: string, value: unknown): void {
  const times = draw.pick([0, 1, 1, 1, 1, 2])
  for (let n = 0; n < times; n++) {
    if (value instanceof Uint8Array) body.append(field, new Blob([new Uint8Array(value)]), 'x.jpg')
    else {
      const odd = oddly(draw, value)
      body.append(field, typeof odd === 'string' ? odd : (JSON.stringify(odd) ?? ''))
    }
  }
}

/** The value, changed in up to three places, or with a filter of any kind. */
function oddly(draw: Draw, value: unknown): unknown {
  let odd = value
  for (let n = draw.below(4); n > 0; n--) odd = draw.mutate(odd)
  const hasFilter = typeof odd === 'object' && odd !== null && 'filter' in odd
  return hasFilter && draw.chance() < 0.5 ? { ...(odd as object), filter: draw.filter() } : odd
}
