// `npm run bench -- livez [--items N] [--dim N]`: asks for the most that each bound allows, one kind after the
// other, while another process asks /livez every 10 ms. Prints the time of the requests, their
// statuses, and the slowest /livez meanwhile.
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import { parseArgs } from 'node:util'
import { maxFilterNodes } from '@likeness/shared/contract/limits'
import { seededNormal } from '@likeness/shared/data/random'
import { startLiveStack } from '../test/support/live-stack.ts'

const { values } = parseArgs({
  options: {
    items: { type: 'string', default: '50000' },
    dim: { type: 'string', default: '64' }
  }
})
const items = Number(values.items)
const dim = Number(values.dim)
const path = '/v1/collections/worst'
const live = await startLiveStack({ env: { LOG_LEVEL: 'warn' } })
const [url] = live.stack.apiUrls as [string]

const probe = spawn(
  process.execPath,
  ['--import', 'tsx', new URL('livez-probe.ts', import.meta.url).pathname, url],
  { stdio: ['pipe', 'pipe', 'inherit'] }
)
const answers = createInterface({ input: probe.stdout })[Symbol.asyncIterator]()
async function slowestLivezMs(): Promise<string> {
  probe.stdin.write('\n')
  return (await answers.next()).value as string
}

const post = (to: string, body: unknown): Promise<Response> =>
  fetch(`${url}${to}`, {
    method: 'POST',
    body: typeof body === 'string' ? body : JSON.stringify(body),
    headers: { 'content-type': 'application/json' }
  })

const normal = seededNormal(1)
const vector = (): number[] => Array.from({ length: dim }, normal)
async function addVectors(lines: Iterable<object>): Promise<void> {
  const body = [...lines].map((line) => JSON.stringify(line)).join('\n')
  const response = await fetch(`${url}${path}/vectors`, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/x-ndjson' }
  })
  const { job } = (await response.json()) as { job: string }
  for (;;) {
    const { state } = (await (await fetch(`${url}/v1/jobs/${job}`)).json()) as { state: string }
    if (state === 'completed') return
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function fill(): Promise<void> {
  const embedding = { version: 'worst@1/none@1', dim, unit: true }
  await post('/v1/collections', {
    name: 'worst',
    metric: 'cosine',
    index_method: 'FLAT',
    embedding
  })
  for (let first = 0; first < items; first += 10_000)
    await addVectors(
      Array.from({ length: Math.min(10_000, items - first) }, (_, i) => ({
        id: `item-${first + i}`,
        label: `label-${i % 1000}`,
        metadata: { shop: `shop-${i % 50}`, price: i },
        vectors: [vector()]
      }))
    )
  await addVectors([{ id: 'many-rows', vectors: Array.from({ length: 1000 }, vector) }])
}

const deep = (levels: number): string =>
  `${'{"not":'.repeat(levels)}{"label":"a"}${'}'.repeat(levels)}`
const wide = (nodes: number): object => ({
  any: Array.from({ length: 64 }, (_, i) => ({
    any: Array.from({ length: Math.floor((nodes - 66) / 64 / 2) }, (_, j) => ({
      metadata: { price: { gt: i + j, lt: i } }
    }))
  }))
})
const times = (count: number, ask: (n: number) => Promise<Response>): Promise<Response[]> =>
  Promise.all(Array.from({ length: count }, (_, n) => ask(n)))

const rows: [string, () => Promise<Response[]>][] = [
  [
    '100 deletes by a filter 2000 deep',
    () => times(100, () => post(`${path}/delete`, `{"filter":${deep(2000)}}`))
  ],
  [
    'relabel of 400 ids, 40 KB each (16 MB)',
    () =>
      times(1, () =>
        post(`${path}/relabel`, {
          ids: Array.from({ length: 400 }, (_, i) => `item-${i}`),
          metadata: Object.fromEntries(
            Array.from({ length: 10 }, (_, i) => [`k${i}`, 'x'.repeat(4000)])
          )
        })
      )
  ],
  [
    'search by an item of 1000 rows, k 50',
    () => times(1, () => post(`${path}/search`, { item_id: 'many-rows', k: 50 }))
  ],
  [
    'search by an item of 1000 rows, k 100',
    () => times(1, () => post(`${path}/search`, { item_id: 'many-rows', k: 100 }))
  ],
  [
    'search by an item of 1000 rows, k 10 000',
    () => times(1, () => post(`${path}/search`, { item_id: 'many-rows', k: 10_000 }))
  ],
  [
    'search by one vector, k 10 000',
    () => times(1, () => post(`${path}/search`, { vector: vector(), k: 10_000 }))
  ],
  [
    `search with a filter of ${maxFilterNodes} nodes`,
    () => times(1, () => post(`${path}/search`, { vector: vector(), filter: wide(maxFilterNodes) }))
  ],
  [
    `delete by a filter of ${maxFilterNodes} nodes`,
    () => times(1, () => post(`${path}/delete`, { filter: wide(maxFilterNodes) }))
  ],
  [
    '200 deletes by filter at once',
    () => times(200, (n) => post(`${path}/delete`, { filter: { metadata: { price: 9000 + n } } }))
  ],
  [
    '1500 searches at once',
    () => times(1500, () => post(`${path}/search`, { vector: vector(), k: 10 }))
  ]
]

try {
  await fill()
  await slowestLivezMs()
  console.log(
    `${items} items of ${dim} values\n| asked for | seconds | statuses | slowest /livez, ms |\n|---|---|---|---|`
  )
  for (const [name, ask] of rows) {
    const startedMs = performance.now()
    const counts: Record<string, number> = {}
    for (const response of await ask()) {
      const text = await response.text()
      const late = text.includes('"applied":false') ? ' not applied' : ''
      const key = `${response.status}${late}`
      counts[key] = (counts[key] ?? 0) + 1
    }
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2)
    const statuses = Object.entries(counts).map(([status, count]) => `${count} x ${status}`)
    console.log(`| ${name} | ${seconds} | ${statuses.join(', ')} | ${await slowestLivezMs()} |`)
  }
} finally {
  probe.kill()
  await live.stop()
}
