// The public API as this program uses it. Answers that are problems become ApiProblem errors with their code.
import { readFile } from 'node:fs/promises'
import type { CollectionAnswer, JobAnswer, Problem, SearchAnswer } from '@likeness/shared/contract/http'

export class ApiProblem extends Error {
  readonly code: string
  readonly status: number
  constructor({ code, status, detail }: Problem) {
    super(`${code}: ${detail}`)
    this.name = 'ApiProblem'
    this.code = code
    this.status = status
  }
}

export interface ApiClient {
  /** undefined when there is none of this name. */
  getCollection(name: string): Promise<CollectionAnswer | undefined>
  createCollection(name: string, options?: { index_method?: string; settings?: Record<string, unknown> }): Promise<void>
  dropCollection(name: string): Promise<void>
  /** Imports the pictures of a list file (`path<TAB>label`) below a folder on the API's disk; resolves with the job when it is accepted. */
  importList(collection: string, source: { root: string; listFile: string }): Promise<{ job: string; total: number }>
  getJob(id: string): Promise<JobAnswer>
  /** `minSeq`: the answer holds at least this commit. */
  search(collection: string, image: Uint8Array, options: { k: number; minSeq?: number }): Promise<SearchAnswer>
  /** Bytes behind a path of an answer, for example a hit's thumbnail. */
  fetchBytes(path: string): Promise<Buffer>
}

export function createApiClient({ url, apiKey }: { url: string; apiKey?: string }): ApiClient {
  async function request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { ...(init.headers as Record<string, string>), ...(apiKey === undefined ? {} : { authorization: `Bearer ${apiKey}` }) }
    const response = await fetch(`${url}${path}`, { ...init, headers })
    if (response.ok) return response
    const body = await response.text()
    throw new ApiProblem(parseProblem(body, response.status))
  }
  const answer = async <T>(path: string, init?: RequestInit): Promise<T> => (await (await request(path, init)).json()) as T
  const inCollection = (name: string, rest = ''): string => `/v1/collections/${encodeURIComponent(name)}${rest}`
  const json = (body: unknown): RequestInit => ({ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })

  return {
    getCollection: (name) => answer<CollectionAnswer>(inCollection(name)).catch(absentWhen('collection_not_found')),
    createCollection: async (name, options = {}) => void (await request('/v1/collections', json({ name, ...options }))),
    dropCollection: async (name) => void (await request(inCollection(name), { method: 'DELETE' })),
    async importList(collection, { root, listFile }) {
      const form = new FormData()
      form.set('root', root)
      form.set('list', new Blob([await readFile(listFile)]), 'list.tsv')
      return answer(inCollection(collection, '/imports'), { method: 'POST', body: form })
    },
    getJob: (id) => answer(`/v1/jobs/${encodeURIComponent(id)}`),
    async search(collection, image, { k, minSeq }) {
      const form = new FormData()
      form.set('k', String(k))
      if (minSeq !== undefined) form.set('min_seq', String(minSeq))
      form.set('image', new Blob([new Uint8Array(image)]), 'query')
      return answer(inCollection(collection, '/search'), { method: 'POST', body: form })
    },
    fetchBytes: async (path) => Buffer.from(await (await request(path)).arrayBuffer())
  }
}

function parseProblem(body: string, status: number): Problem {
  try {
    return JSON.parse(body) as Problem
  } catch {
    // Not ours: something between this program and the API answered.
    return { type: 'about:blank', title: 'unexpected answer', status, code: `http_${status}`, detail: body.slice(0, 200) }
  }
}

const absentWhen =
  (code: string) =>
  (error: unknown): undefined => {
    if (error instanceof ApiProblem && error.code === code) return undefined
    throw error
  }
