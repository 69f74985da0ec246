// The load of a soak: a few clients, each with ids of its own, so that what an id must be is known.
import { setTimeout as pause } from 'node:timers/promises'

const clients = 6
const idsOfClient = 200
const dim = 32
const pauseMs = 40
const importLines = 50
/** Looks for what an acknowledged operation must have left, until this time is over. */
const settleMs = 60_000

export interface Latencies {
  searchMs: number[]
  uploadMs: number[]
  operations: number
}
/** Label of an item that must be there; null: it must not be there; undefined: not known. */
type Expected = string | null | undefined

const vectorOf = (seed: number): number[] =>
  Array.from({ length: dim }, (_, i) => Math.sin(seed * (i + 1)))
const pick = <T>(from: readonly T[]): T => from[Math.floor(Math.random() * from.length)]!

export async function runLoad({ urls, endMs }: { urls: readonly string[]; endMs: number }) {
  const latencies: Latencies = { searchMs: [], uploadMs: [], operations: 0 }
  const expected = new Map<string, Expected>()
  let operations = 0
  let refused: string | undefined
  const collection = '/v1/collections/soak'

  /** Returns the status, or undefined when the process was killed meanwhile. */
  async function send(path: string, init: RequestInit = {}): Promise<number | undefined> {
    try {
      const response = await fetch(`${pick(urls)}${path}`, {
        ...init,
        signal: AbortSignal.timeout(30_000)
      })
      const text = await response.text()
      if (response.status >= 400 && response.status < 500 && response.status !== 404)
        refused ??= `${path}: ${response.status} ${text}`
      return response.status
    } catch {
      return undefined
    }
  }
  const json = (method: string, body: unknown): RequestInit => ({
    method,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })

  /** After an unknown outcome nothing is known of the ids until the next acknowledged write. */
  async function write(
    ids: ReadonlyMap<string, Expected>,
    ask: () => Promise<number | undefined>
  ): Promise<void> {
    for (const id of ids.keys()) expected.set(id, undefined)
    const status = await ask()
    if (status === undefined || status >= 300) return
    for (const [id, label] of ids) expected.set(id, label)
  }

  function upload(ids: readonly string[]): Promise<void> {
    const label = `label ${Math.floor(Math.random() * 50)}`
    const body = ids
      .map((id) => JSON.stringify({ id, label, vectors: [vectorOf(Math.random() * 100)] }))
      .join('\n')
    return write(new Map(ids.map((id) => [id, label])), async () => {
      const startedMs = performance.now()
      const init = { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body }
      const status = await send(`${collection}/vectors`, init)
      if (status === 202) latencies.uploadMs.push(performance.now() - startedMs)
      return status
    })
  }
  const remove = (id: string): Promise<void> =>
    write(new Map([[id, null]]), async () => {
      const status = await send(`${collection}/items/${id}`, { method: 'DELETE' })
      return status === 404 ? 200 : status
    })
  function relabel(id: string): Promise<void> {
    const label = `renamed ${Math.floor(Math.random() * 50)}`
    const before = expected.get(id)
    const after = before === null || before === undefined ? before : label
    return write(new Map([[id, after]]), () =>
      send(`${collection}/relabel`, json('POST', { ids: [id], label }))
    )
  }
  async function search(): Promise<void> {
    const startedMs = performance.now()
    const status = await send(
      `${collection}/search`,
      json('POST', { vector: vectorOf(Math.random() * 100), k: 10 })
    )
    if (status === 200) latencies.searchMs.push(performance.now() - startedMs)
  }

  const idOf = (client: number, n: number): string => `item-${client}-${n}`
  const anyId = (client: number): string => idOf(client, Math.floor(Math.random() * idsOfClient))
  async function operate(client: number): Promise<void> {
    const draw = Math.random()
    if (draw < 0.4) await search()
    else if (draw < 0.75) await upload([anyId(client)])
    else if (draw < 0.85) await remove(anyId(client))
    else if (draw < 0.95) await relabel(anyId(client))
    else {
      const first = Math.floor(Math.random() * (idsOfClient - importLines))
      await upload(Array.from({ length: importLines }, (_, i) => idOf(client, first + i)))
    }
    operations++
  }
  async function runClient(client: number): Promise<void> {
    while (Date.now() < endMs) {
      await operate(client)
      await pause(pauseMs)
    }
  }

  const embedding = { version: 'soak@1/none@1', dim, unit: true }
  const created = await send(
    '/v1/collections',
    json('POST', { name: 'soak', embedding, settings: { seal_threshold: 256 } })
  )
  if (created !== 201) throw new Error(`the collection was not made: ${created}`)
  const running = Promise.all(Array.from({ length: clients }, (_, client) => runClient(client)))

  /** Whether an item is as it must be. */
  async function isAsExpected(id: string, label: string | null): Promise<boolean> {
    const response = await fetch(`${pick(urls)}${collection}/items/${id}?consistency=strong`)
    const body = (await response.json()) as { label?: string | null }
    return label === null ? response.status === 404 : response.ok && body.label === label
  }

  return {
    takeLatencies(): Latencies {
      const taken = { ...latencies, operations }
      latencies.searchMs = []
      latencies.uploadMs = []
      return taken
    },
    /** Waits for the clients, then looks at every id of which the content is known. */
    async finish(): Promise<{ operations: number; checked: number; lost: number }> {
      await running
      // The load would be less than it says.
      if (refused !== undefined) throw new Error(`refused: ${refused}`)
      const known = [...expected].filter(([, label]) => label !== undefined)
      let wrong = known.map(([id]) => id)
      for (const untilMs = Date.now() + settleMs; wrong.length > 0 && Date.now() < untilMs; ) {
        const judged = await Promise.all(
          wrong.map(async (id) => {
            const isRight = await isAsExpected(id, expected.get(id)!).catch(() => false)
            return isRight ? [] : [id]
          })
        )
        wrong = judged.flat()
        if (wrong.length > 0) await pause(500)
      }
      for (const id of wrong) console.log(`${id} must be ${String(expected.get(id))}`)
      return { operations, checked: known.length, lost: wrong.length }
    }
  }
}
