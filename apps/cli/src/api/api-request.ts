// Sends requests to the public API, with helpers for their bodies and answers.
import { readTextLines } from '@likeness/shared/data/text-lines'
import { ApiProblem, parseProblem } from './api-problem.ts'

export interface ApiRequest {
  /** Rejects with an ApiProblem. */
  request(path: string, init?: RequestInit): Promise<Response>
  answer<T>(path: string, init?: RequestInit): Promise<T>
}

export function createApiRequest({ url, apiKey }: { url: string; apiKey?: string }): ApiRequest {
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
  return { request, answer }
}

export const inCollection = (name: string, rest = ''): string =>
  `/v1/collections/${encodeURIComponent(name)}${rest}`
export const json = (body: unknown): RequestInit => ({
  method: 'POST',
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body)
})

/** Parses one JSON text per line. Throws the network's error when an answer ends early. */
export async function* jsonLines<T>(response: Response): AsyncGenerator<T> {
  const body = response.body as AsyncIterable<Uint8Array>
  for await (const read of readTextLines(body, { maxLineBytes: Infinity })) {
    if ('problem' in read) throw new Error(`line ${read.line} of the answer: ${read.problem}`)
    yield JSON.parse(read.text) as T
  }
}
