// The public API as this program uses it. Answers that are problems become ApiProblem errors with their code.
import { openAsBlob } from 'node:fs'
import { readFile } from 'node:fs/promises'
import type { EmbeddingSpec } from '@likeness/shared/contract/collection'
import type {
  CollectionAnswer,
  CollectionListAnswer
} from '@likeness/shared/contract/http/collections'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import type { ItemAnswer } from '@likeness/shared/contract/http/items'
import type { JobAnswer } from '@likeness/shared/contract/http/jobs'
import type { Problem } from '@likeness/shared/contract/http/problem'
import type { SearchAnswer, SearchRequest } from '@likeness/shared/contract/http/search'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import type { ProfileDraft, StoredProfile } from '@likeness/shared/contract/profile'
import type { Projection } from '@likeness/store/profile-store'

export class ApiProblem extends Error {
  readonly code: string
  readonly status: number
  readonly detail: string
  constructor({ code, status, detail }: Problem) {
    super(`${code}: ${detail}`)
    this.detail = detail
    this.name = 'ApiProblem'
    this.code = code
    this.status = status
  }
}

/** What a picture is searched with; the rest is the collection's. */
export type SearchOptions = Partial<Omit<SearchRequest, 'vector' | 'item_id' | 'image_key'>>
export interface Accepted {
  job: string
  total: number
}
export interface UploadFile {
  id: string
  label: string | null
  metadata: Record<string, unknown> | undefined
  /** On disk; read as it is sent. */
  file: string
}
export interface ApiStatus {
  store: string
  replica: {
    incarnation: string
    seq: number
    rows: number
    behind_ms: number
    alarm: string | null
  }[]
  lanes: { worker: string; embedding: EmbeddingSpec; provider: string; seen_at: string }[]
}

export interface ProfileChange {
  name: string
  /** NAME@VERSION. */
  profile: string
  embedding: EmbeddingSpec
  revision: number
  /** The version that has it; undefined: it is logged, and comes later. */
  seq?: number
}

export interface ApiClient {
  readonly url: string
  getStatus(): Promise<ApiStatus>
  listCollections(): Promise<CollectionListAnswer>
  /** undefined when there is none of this name. */
  getCollection(name: string): Promise<CollectionAnswer | undefined>
  createCollection(
    name: string,
    options?: {
      index_method?: string
      metric?: string
      storage?: string
      rescore?: boolean
      settings?: Record<string, unknown>
      embedding?: EmbeddingSpec
      profile?: string
    }
  ): Promise<CollectionAnswer>
  dropCollection(name: string): Promise<void>
  /** Without `seq` it is logged, and done later. */
  rebuild(name: string): Promise<{ revision: number; seq?: number }>
  applyProfile(name: string, profile: string): Promise<ProfileChange>
  listAliases(): Promise<{ alias: string; collection: string }[]>
  /** `expected`: what it points at until now. */
  setAlias(
    alias: string,
    collection: string,
    options: { expected: string | undefined }
  ): Promise<void>
  removeAlias(alias: string, options: { expected: string | undefined }): Promise<void>
  /** Every version, newest first. */
  listProfiles(): Promise<StoredProfile[]>
  /** `name` or `name@version`; undefined when there is none. */
  getProfile(reference: string): Promise<StoredProfile | undefined>
  /** Matrix [dim, raw_dim] and bias [dim]. */
  getProjection(profile: StoredProfile): Promise<Projection>
  putProfile(name: string, draft: ProfileDraft, projection: Uint8Array): Promise<StoredProfile>
  /** Imports the pictures of a list file (`path<TAB>label`) below a folder on the API's disk; resolves with the job when it is accepted. */
  importList(collection: string, source: { root: string; listFile: string }): Promise<Accepted>
  /** The same for lines made here. The same `key` again has no second effect and answers the same job. */
  importLines(
    collection: string,
    source: { root: string; lines: readonly ListLine[]; key: string }
  ): Promise<Accepted>
  /** Sends the pictures themselves, at most 1000; `key` as above. */
  uploadPictures(collection: string, files: readonly UploadFile[], key: string): Promise<Accepted>
  /** With the first 1000 failed items after ordinal `failedAfter`. */
  getJob(id: string, options?: { failedAfter?: number }): Promise<JobAnswer>
  /** Newest first. */
  listJobs(options?: { collection?: string; limit?: number }): Promise<JobAnswer[]>
  /** undefined when the collection has no such item. */
  getItem(collection: string, id: string): Promise<ItemAnswer | undefined>
  /** At most 10 000; settles after the commit. */
  deleteItems(collection: string, ids: readonly string[]): Promise<void>
  /** Every item of the newest version with its vectors, and the number of that version. */
  exportVectors(collection: string): Promise<{ seq: number; lines: AsyncIterable<VectorLine> }>
  /** Items with vectors made elsewhere; `key` as above. */
  importVectors(collection: string, lines: readonly VectorLine[], key: string): Promise<Accepted>
  /** `minSeq`: the answer holds at least this commit. */
  search(collection: string, image: Uint8Array, options: SearchOptions): Promise<SearchAnswer>
  /** Bytes behind a path of an answer, for example a hit's thumbnail. */
  fetchBytes(path: string): Promise<Buffer>
}

export function createApiClient({ url, apiKey }: { url: string; apiKey?: string }): ApiClient {
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = {
      ...(init.headers as Record<string, string>),
      ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` })
    }
    const response = await fetch(`${url}${path}`, { ...init, headers })
    if (response.ok) return response
    const body = await response.text()
    throw new ApiProblem(parseProblem(body, response.status))
  }
  const answer = async <T>(path: string, init?: RequestInit): Promise<T> =>
    (await (await request(path, init)).json()) as T
  const inCollection = (name: string, rest = ''): string =>
    `/v1/collections/${encodeURIComponent(name)}${rest}`
  const aliasPath = (alias: string): string => `/v1/aliases/${encodeURIComponent(alias)}`
  const json = (body: unknown): RequestInit => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })

  return {
    url,
    getStatus: () => answer<ApiStatus>('/v1/status'),
    listCollections: () => answer<CollectionListAnswer>('/v1/collections'),
    getCollection: (name) =>
      answer<CollectionAnswer>(inCollection(name)).catch(absentWhen('collection_not_found')),
    createCollection: (name, options = {}) =>
      answer<CollectionAnswer>('/v1/collections', json({ name, ...options })),
    dropCollection: async (name) => void (await request(inCollection(name), { method: 'DELETE' })),
    rebuild: (name) => answer(inCollection(name, '/rebuild'), { method: 'POST' }),
    applyProfile: (name, profile) =>
      answer<ProfileChange>(inCollection(name, '/profile'), json({ profile })),
    listAliases: async () =>
      (await answer<{ aliases: { alias: string; collection: string }[] }>('/v1/aliases')).aliases,
    setAlias: async (alias, collection, { expected }) =>
      void (await request(aliasPath(alias), { ...json({ collection, expected }), method: 'PUT' })),
    removeAlias: async (alias, { expected }) =>
      void (await request(
        `${aliasPath(alias)}${expected === undefined ? '' : `?${new URLSearchParams({ expected })}`}`,
        { method: 'DELETE' }
      )),
    listProfiles: async () =>
      (await answer<{ profiles: StoredProfile[] }>('/v1/profiles')).profiles,
    getProfile: (reference) =>
      answer<StoredProfile>(`/v1/profiles/${encodeURIComponent(reference)}`).catch(
        absentWhen('profile_not_found')
      ),
    async getProjection({ name, version, raw_dim: dIn, dim: dOut }) {
      const bytes = await (
        await request(`/v1/profiles/${encodeURIComponent(`${name}@${version}`)}/projection`)
      ).arrayBuffer()
      const values = new Float32Array(bytes)
      return {
        dIn,
        dOut,
        matrix: values.subarray(0, dOut * dIn),
        bias: values.subarray(dOut * dIn)
      }
    },
    async putProfile(name, draft, projection) {
      const form = new FormData()
      form.set('profile', JSON.stringify(draft))
      form.set('projection', new Blob([new Uint8Array(projection)]), 'projection')
      return answer(`/v1/profiles/${encodeURIComponent(name)}`, { method: 'PUT', body: form })
    },
    async importList(collection, { root, listFile }) {
      const form = new FormData()
      form.set('root', root)
      form.set('list', new Blob([await readFile(listFile)]), 'list.tsv')
      return answer(inCollection(collection, '/imports'), { method: 'POST', body: form })
    },
    async importLines(collection, { root, lines, key }) {
      const form = new FormData()
      form.set('root', root)
      form.set(
        'list',
        new Blob(
          lines.map((line) => `${JSON.stringify(line)}\n`),
          { type: 'application/x-ndjson' }
        ),
        'list.ndjson'
      )
      return answer(inCollection(collection, '/imports'), {
        method: 'POST',
        body: form,
        headers: { 'idempotency-key': key }
      })
    },
    async uploadPictures(collection, files, key) {
      const form = new FormData()
      for (const { id, label, metadata, file } of files) {
        form.append('label', label ?? '')
        form.append('metadata', metadata === undefined ? '' : JSON.stringify(metadata))
        form.append('id', id)
        form.append('image', await openAsBlob(file), 'image')
      }
      return answer(inCollection(collection, '/images'), {
        method: 'POST',
        body: form,
        headers: { 'idempotency-key': key }
      })
    },
    getJob: (id, { failedAfter } = {}) =>
      answer(
        `/v1/jobs/${encodeURIComponent(id)}${failedAfter === undefined ? '' : `?failed_after=${failedAfter}`}`
      ),
    async listJobs({ collection, limit = 50 } = {}) {
      const query = new URLSearchParams({
        limit: String(limit),
        ...(collection === undefined ? {} : { collection })
      })
      return (await answer<{ jobs: JobAnswer[] }>(`/v1/jobs?${query}`)).jobs
    },
    getItem: (collection, id) =>
      answer<ItemAnswer>(inCollection(collection, `/items/${encodeURIComponent(id)}`)).catch(
        absentWhen('item_not_found')
      ),
    deleteItems: async (collection, ids) =>
      void (await request(inCollection(collection, '/delete'), json({ ids }))),
    async exportVectors(collection) {
      const response = await request(inCollection(collection, '/vectors?consistency=strong'))
      return {
        seq: Number(response.headers.get('x-index-seq')),
        lines: jsonLines<VectorLine>(response)
      }
    },
    importVectors: (collection, lines, key) =>
      answer(inCollection(collection, '/vectors'), {
        method: 'POST',
        body: lines.map((line) => `${JSON.stringify(line)}\n`).join(''),
        headers: { 'content-type': 'application/x-ndjson', 'idempotency-key': key }
      }),
    async search(collection, image, options) {
      const form = new FormData()
      for (const [name, value] of Object.entries(options)) {
        if (value !== undefined)
          form.set(name, typeof value === 'string' ? value : JSON.stringify(value))
      }
      form.set('image', new Blob([new Uint8Array(image)]), 'query')
      return answer(inCollection(collection, '/search'), { method: 'POST', body: form })
    },
    fetchBytes: async (path) => Buffer.from(await (await request(path)).arrayBuffer())
  }
}

/** An answer that ends early throws as the network does. */
async function* jsonLines<T>(response: Response): AsyncGenerator<T> {
  const decoder = new TextDecoder()
  let held = ''
  for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
    held += decoder.decode(chunk, { stream: true })
    const lines = held.split('\n')
    held = lines.pop()!
    for (const line of lines) yield JSON.parse(line) as T
  }
}

function parseProblem(body: string, status: number): Problem {
  try {
    return JSON.parse(body) as Problem
  } catch {
    // Not ours: something between this program and the API answered.
    return {
      type: 'about:blank',
      title: 'unexpected answer',
      status,
      code: `http_${status}`,
      detail: body.slice(0, 200)
    }
  }
}

const absentWhen =
  (code: string) =>
  (error: unknown): undefined => {
    if (error instanceof ApiProblem && error.code === code) return undefined
    throw error
  }
