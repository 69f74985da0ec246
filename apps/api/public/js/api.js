// Sends every call to the API: adds the key, turns problems (RFC 9457) into ApiError, and loads
// pictures that need the key.
import { askForKey } from './key-dialog.js'

const keySlot = 'likeness.key'

export class ApiError extends Error {
  /** problem: {status, code, title, detail, request_id}. Status 0 means that no answer came. */
  constructor(problem) {
    super(problem.detail || problem.title || 'The request failed.')
    this.name = 'ApiError'
    this.problem = problem
    this.status = problem.status
    this.code = problem.code
  }
}

export const storedKey = () => sessionStorage.getItem(keySlot)
export const forgetKey = () => sessionStorage.removeItem(keySlot)

async function send(path, init, key) {
  const headers = new Headers(init.headers)
  if (key) headers.set('authorization', `Bearer ${key}`)
  try {
    return await fetch(path, { ...init, headers })
  } catch (cause) {
    if (cause.name === 'AbortError') throw cause
    throw new ApiError({
      status: 0,
      code: 'unreachable',
      detail: 'The server cannot be reached. Is it running?'
    })
  }
}

async function readProblem(response) {
  const body = await response.json().catch(() => null)
  const known = body !== null && typeof body === 'object' ? body : {}
  return new ApiError({
    code: 'http_' + response.status,
    title: response.statusText,
    ...known,
    status: response.status
  })
}

let asking = null
/**
 * Opens a single dialog, however many calls were refused. All of them use the key that the user
 * types.
 */
function askOnce(refusedKey) {
  if (refusedKey !== storedKey()) return Promise.resolve(storedKey())
  asking ??= askForKey(refusedKey !== null).finally(() => {
    asking = null
  })
  return asking
}

async function request(path, init = {}) {
  let key = storedKey()
  for (;;) {
    const response = await send(path, init, key)
    if (response.ok) return response
    const error = await readProblem(response)
    if (response.status !== 401) throw error
    const next = await askOnce(key)
    if (!next) throw error
    sessionStorage.setItem(keySlot, next)
    document.dispatchEvent(new Event('key-changed'))
    key = next
  }
}

async function json(path, init) {
  const response = await request(path, init)
  return response.status === 204 ? null : response.json()
}

/**
 * Makes a key without randomUUID: randomUUID exists on secure origins only, and the page may come
 * over plain HTTP.
 */
function idempotencyKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))]
    .map((byte) => byte.toString(16).padStart(2, '0'))
    .join('')
}
const mutation = (method, body, type) => ({
  method,
  body,
  headers: { 'idempotency-key': idempotencyKey(), ...(type ? { 'content-type': type } : {}) }
})
const collectionPath = (name) => `/v1/collections/${encodeURIComponent(name)}`

export const api = {
  async collections() {
    const all = []
    for (let query = ''; ; ) {
      const page = await json(`/v1/collections${query}`)
      all.push(...page.collections)
      if (page.next === null) return all
      query = `?after=${encodeURIComponent(page.next)}`
    }
  },
  collection: (name) => json(collectionPath(name)),
  createCollection: (spec) =>
    json('/v1/collections', mutation('POST', JSON.stringify(spec), 'application/json')),
  search: (name, form, signal) =>
    json(`${collectionPath(name)}/search`, { method: 'POST', body: form, signal }),
  compare: (name, id, form, signal) =>
    json(`${collectionPath(name)}/items/${encodeURIComponent(id)}/compare`, {
      method: 'POST',
      body: form,
      signal
    }),
  addImages: (name, form) => json(`${collectionPath(name)}/images`, mutation('POST', form)),
  deleteItem: (name, id) =>
    json(`${collectionPath(name)}/items/${encodeURIComponent(id)}`, mutation('DELETE')),
  /** The newest jobs: of all collections, or of `collection` where there are too many of them. */
  async jobs(collection) {
    try {
      return (await json('/v1/jobs')).jobs
    } catch (error) {
      if (error.code !== 'invalid_request' || !collection) throw error
      return (await json(`/v1/jobs?collection=${encodeURIComponent(collection)}`)).jobs
    }
  },
  cancelJob: (id) => json(`/v1/jobs/${encodeURIComponent(id)}/cancel`, mutation('POST')),
  job: (id, failedAfter) =>
    json(
      `/v1/jobs/${encodeURIComponent(id)}${failedAfter === undefined ? '' : `?failed_after=${failedAfter}`}`
    ),
  blob: async (path) => (await request(path)).blob()
}
