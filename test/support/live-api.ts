// The public API over HTTP for the integration tests. Every mutation has an Idempotency-Key and is
// sent again until there is a final answer.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { ItemAnswer } from '@likeness/shared/contract/http/items'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { Problem } from '@likeness/shared/contract/http/problem'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'

const patienceMs = 240_000
const pollMs = 150

export interface Answered {
  status: number
  headers: Headers
  body: unknown
}
export interface UploadFile {
  id: string
  label: string
  bytes: Uint8Array
}
export interface Accepted {
  job: string
  revision: number
  total: number
}
export interface Deleted {
  id: string
  revision: number
  seq?: number
}

export interface AskOptions {
  method?: string
  headers?: Record<string, string>
  /** Strings, bytes and forms are sent unchanged. Other objects are sent as JSON. */
  body?: FormData | string | Uint8Array | object
}

function initOf({ method, headers = {}, body }: AskOptions): RequestInit {
  if (body === undefined) return { method: method ?? 'GET', headers }
  const plain = typeof body === 'string' || body instanceof FormData || body instanceof Uint8Array
  const type: Record<string, string> =
    body instanceof FormData ? {} : { 'content-type': 'application/json' }
  return {
    method: method ?? 'POST',
    headers: { ...type, ...headers },
    body: (plain ? body : JSON.stringify(body)) as NonNullable<RequestInit['body']>
  }
}

const isWorthAnotherTry = ({ status, body }: Answered): boolean =>
  status >= 502 || ['idempotency_in_progress', 'not_fresh'].includes((body as Problem).code)

export type LiveApi = ReturnType<typeof createLiveApi>

/** `others`: api processes to use when the current process does not answer. */
export function createLiveApi(url: string, others: readonly string[] = []) {
  const urls = [url, ...others]
  let at = 0
  let asking = 0

  async function send(
    path: string,
    options: AskOptions
  ): Promise<{ response: Response; text: string }> {
    asking++
    try {
      const response = await fetch(`${urls[at]}${path}`, initOf(options))
      return { response, text: await response.text() }
    } finally {
      asking--
    }
  }

  /** Sends one request and returns any answer. */
  async function ask(path: string, options: AskOptions = {}): Promise<Answered> {
    const { response, text } = await send(path, options)
    const isJson = (response.headers.get('content-type') ?? '').includes('json')
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text
    }
  }

  /**
   * Sends a request again without an answer, or when the answer asks for another try. Throws on any
   * other refusal.
   */
  async function insist<T>(path: string, options: AskOptions = {}): Promise<T> {
    const untilMs = Date.now() + patienceMs
    for (;;) {
      const answered = await ask(path, options).catch((error: unknown) => error as Error)
      if (!(answered instanceof Error) && answered.status < 400) return answered.body as T
      const isFinal = !(answered instanceof Error) && !isWorthAnotherTry(answered)
      if (isFinal || Date.now() > untilMs)
        throw new Error(
          `${options.method ?? ''} ${path}: ${answered instanceof Error ? String(answered.cause ?? answered) : JSON.stringify(answered.body)}`
        )
      if (answered instanceof Error) at = (at + 1) % urls.length
      await pause(
        answered instanceof Error
          ? pollMs
          : 1_000 * Number(answered.headers.get('retry-after') ?? 0.2)
      )
    }
  }

  const mutate = <T>(path: string, options: AskOptions, key: string = randomUUID()): Promise<T> =>
    insist<T>(path, { ...options, headers: { ...options.headers, 'idempotency-key': key } })
  const pathOf = (collection: string, rest = ''): string => `/v1/collections/${collection}${rest}`
  const itemPath = (collection: string, id: string): string =>
    pathOf(collection, `/items/${encodeURIComponent(id)}`)

  return {
    url,
    ask,
    /** Returns the api process with an open request. */
    asking: (): string | undefined => (asking > 0 ? urls[at] : undefined),
    create: (name: string, more: object = {}) =>
      mutate<CollectionAnswer>('/v1/collections', { body: { name, ...more } }),
    drop: (name: string) => mutate<{ incarnation: string }>(pathOf(name), { method: 'DELETE' }),
    describe: (name: string) => insist<CollectionAnswer>(pathOf(name)),
    upload(name: string, files: readonly UploadFile[], key?: string) {
      const form = new FormData()
      for (const { id, label, bytes } of files) {
        form.append('id', id)
        form.append('label', label)
        form.append('image', new Blob([new Uint8Array(bytes)]), 'picture')
      }
      return mutate<Accepted>(pathOf(name, '/images'), { body: form }, key)
    },
    /** `list`: the text of a list file. */
    importList(name: string, { root, list }: { root: string; list: string }, key?: string) {
      const form = new FormData()
      form.append('root', root)
      form.append('list', new Blob([list]), 'list.tsv')
      return mutate<Accepted>(pathOf(name, '/imports'), { body: form }, key)
    },
    /** Sends items with supplied vectors. */
    sendVectors: (name: string, lines: readonly object[]) =>
      mutate<Accepted>(pathOf(name, '/vectors'), {
        body: lines.map((line) => JSON.stringify(line)).join('\n'),
        headers: { 'content-type': 'application/x-ndjson' }
      }),
    remove: (name: string, id: string, key?: string) =>
      mutate<Deleted>(itemPath(name, id), { method: 'DELETE' }, key),
    removeAll: (name: string, ids: readonly string[], key?: string) =>
      mutate<Omit<Deleted, 'id'>>(pathOf(name, '/delete'), { body: { ids } }, key),
    item: (name: string, id: string, query = '') =>
      insist<ItemAnswer>(`${itemPath(name, id)}${query}`),
    askItem: (name: string, id: string, query = '') => ask(`${itemPath(name, id)}${query}`),
    askSearch: (name: string, body: object) => ask(pathOf(name, '/search'), { body }),
    search: (name: string, body: object) => insist<SearchAnswer>(pathOf(name, '/search'), { body }),
    searchPicture(name: string, bytes: Uint8Array, fields: Record<string, string> = {}) {
      const form = new FormData()
      for (const [field, value] of Object.entries(fields)) form.append(field, value)
      form.append('image', new Blob([new Uint8Array(bytes)]), 'query')
      return insist<SearchAnswer>(pathOf(name, '/search'), { body: form })
    },
    job: (id: string) => insist<JobAnswer>(`/v1/jobs/${id}`),
    /** Polls until `isReached`. The error contains the last state. */
    async untilJob(
      id: string,
      isReached: (job: JobAnswer) => boolean,
      withinMs = patienceMs,
      everyMs = pollMs
    ): Promise<JobAnswer> {
      const untilMs = Date.now() + withinMs
      for (;;) {
        const job = await insist<JobAnswer>(`/v1/jobs/${id}`)
        if (isReached(job)) return job
        if (Date.now() > untilMs)
          throw new Error(
            `job ${id} after ${withinMs} ms: ${JSON.stringify({ ...job, failed: job.failed.slice(0, 3) })}`
          )
        await pause(everyMs)
      }
    },
    finished(id: string, everyMs?: number): Promise<JobAnswer> {
      return this.untilJob(id, ({ state }) => state === 'completed', patienceMs, everyMs)
    }
  }
}
