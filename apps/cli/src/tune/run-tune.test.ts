// Tests `likeness tune` on an API that is made up: what is set, what is said, and the exit codes.
import { afterEach, expect, test, vi } from 'vitest'
import { parseTune } from './tune-options.ts'
import { runTune } from './run-tune.ts'

interface Answers {
  index?: string
  /** Recall of a budget. */
  recallAt?: (budget: number) => number
}
const rows = 30

function startApi({ index = 'hnsw', recallAt = () => 1 }: Answers = {}) {
  const changes: unknown[] = []
  const collection = {
    name: 'marks',
    items: rows,
    rows,
    index_method: 'HNSW32',
    metric: 'cosine',
    embedding: { dim: 4 },
    segments: [{ index, rows: 5_000 }]
  }
  const hits = (right: number) =>
    Array.from({ length: 10 }, (_, n) => ({ id: `${n}`, score: n < right ? 0.9 : 0.1 }))
  const answer = (url: URL, init: RequestInit): unknown => {
    if (url.pathname === '/livez') return {}
    if (url.pathname.endsWith('/search')) {
      const asked = JSON.parse(init.body as string) as { search_budget?: number; exact?: boolean }
      return { hits: hits(asked.exact ? 10 : Math.round(10 * recallAt(asked.search_budget!))) }
    }
    if (init.method === 'PATCH') {
      changes.push(JSON.parse(init.body as string))
      return {}
    }
    return collection
  }
  vi.stubGlobal('fetch', async (input: string, init: RequestInit = {}) => {
    const url = new URL(input)
    if (url.pathname.endsWith('/vectors')) {
      const lines = Array.from({ length: rows }, (_, n) => `{"id":"item-${n}","vectors":""}\n`)
      return new Response(lines.join(''), { headers: { 'x-index-seq': '3' } })
    }
    return Response.json(answer(url, init))
  })
  return changes
}
afterEach(() => vi.unstubAllGlobals())

async function tune(...args: string[]) {
  const printed: string[] = []
  const context = { print: (text: string) => printed.push(text), say: () => undefined }
  const all = ['marks', '--recall', '.9', '--api', 'http://localhost:1', ...args]
  return { code: await runTune(all, context as never), text: printed.join('\n') }
}

test('the least budget that reaches the recall is set, and only with --apply', async () => {
  const changes = startApi({ recallAt: (budget) => (budget >= 50 ? 1 : 0.5) })
  expect(await tune()).toMatchObject({ code: 0, text: expect.stringContaining('is enough') })
  expect(changes).toEqual([])
  const { code, text } = await tune('--apply')
  expect(code).toBe(0)
  const { search_budget: budget } = (changes as { settings: { search_budget: number } }[])[0]!
    .settings
  expect(budget).toBeGreaterThanOrEqual(50)
  expect(budget).toBeLessThanOrEqual(53)
  expect(text).toContain(`search_budget ${budget} is set`)
})

test('nothing is set where no budget reaches the recall, or not in time', async () => {
  const changes = startApi({ recallAt: () => 0.5 })
  const { code, text } = await tune('--apply')
  expect([code, changes]).toEqual([1, []])
  expect(text).toContain('no budget reaches recall 0.9; nothing is applied')
  startApi()
  const late = await tune('--apply', '--p95', '0.01')
  expect([late.code, changes]).toEqual([1, []])
  expect(late.text).toContain('but its p95 is')
})

test('where all segments are exact nothing is set, and nothing is missing', async () => {
  const changes = startApi({ index: 'flat' })
  const { code, text } = await tune('--apply', '--json')
  expect([code, changes]).toEqual([0, []])
  expect(JSON.parse(text)).toMatchObject({
    budget: null,
    reached: true,
    applied: false,
    points: [],
    queries: rows
  })
})

test('a collection that is not there is said, and wrong arguments too', async () => {
  vi.stubGlobal('fetch', async (input: string) =>
    input.endsWith('/livez')
      ? Response.json({})
      : Response.json({ code: 'collection_not_found', detail: 'none' }, { status: 404 })
  )
  await expect(tune()).rejects.toThrow('there is no collection marks')
  expect(() => parseTune(['marks'])).toThrow('--recall is missing')
  expect(() => parseTune(['--recall', '.9'])).toThrow('name one collection')
  expect(() => parseTune(['marks', '--recall', '2'])).toThrow('--recall 2: a number from 0.5')
})
