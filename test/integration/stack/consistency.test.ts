// Tests three API processes over one store. A write through one API is visible in a search at
// `strong` or with `min_seq` through another API, also for deletions. Searches continue while the
// version changes all the time. This command runs more of both, for some minutes:
//   CONSISTENCY_PAIRS=1000 CONSISTENCY_SWAPS=500 npx vitest run --project integration \
//     test/integration/stack/consistency.test.ts
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { unitVector } from '@likeness/engine/testing/test-items'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { ApiStatus } from '../../../apps/cli/src/api/api-client.ts'
import { type LiveStack, startLiveStack } from '../../support/live-stack.ts'

const pairs = Number(process.env.CONSISTENCY_PAIRS ?? 80)
const swaps = Number(process.env.CONSISTENCY_SWAPS ?? 40)
const longMs = 1_800_000
const dim = 16
/** Vectors are supplied with their items, so the stack does not embed. */
const created = {
  embedding: { version: 'elsewhere@1/none@1', dim, unit: true },
  settings: { seal_threshold: 64 }
}
const vector = (seed: number): number[] => [...unitVector(seed, dim)]
const askEveryMs = 10
let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack({
    replicas: { api: 3, 'index-worker': 2, 'embed-worker': 0 },
    env: { COMMIT_INTERVAL_MS: '20' }
  })
})
afterAll(() => live?.stop())

const api = (n: number): LiveStack['api'] => live.apis[n % live.apis.length]!

async function addThrough(
  n: number,
  collection: string,
  items: readonly { id: string; label?: string; seed: number }[]
): Promise<number> {
  const { job } = await api(n).sendVectors(
    collection,
    items.map(({ seed, ...item }) => ({ ...item, vectors: [vector(seed)] }))
  )
  const { seq, counts } = await api(n).finished(job, askEveryMs)
  expect(counts).toMatchObject({ total: items.length, indexed: items.length })
  return seq!
}

test(
  `${pairs} times added or deleted through one api and searched through another at once: no answer is stale`,
  async () => {
    await api(0).create('pairs', created)
    await addThrough(
      0,
      'pairs',
      Array.from({ length: 100 }, (_, i) => ({ id: `always-${i}`, seed: 1_000 + i }))
    )
    const alive = new Set<number>()
    const wrong: string[] = []
    for (let pair = 0; pair < pairs; pair++) {
      const seed = 1 + ((pair * 7) % 30)
      const id = `item-${seed}`
      const add = !alive.has(seed)
      const seq = add
        ? await addThrough(pair, 'pairs', [{ id, seed }])
        : (await api(pair).remove('pairs', id)).seq!
      if (add) alive.add(seed)
      else alive.delete(seed)
      // A replica must read the write of its own process, and the other replicas the write of
      // another process.
      const askedOptions = [
        { consistency: 'strong' },
        { min_seq: seq },
        { consistency: 'strong', min_seq: seq }
      ]
      for (const [n, options] of askedOptions.entries()) {
        const reader = (pair + 1 + n) % live.apis.length
        const { status, body } = await api(reader).askSearch('pairs', {
          vector: vector(seed),
          k: 1,
          ...options
        })
        const { hits, index_seq: at } = body as SearchAnswer
        const isRight = status === 200 && (hits[0]?.id === id) === add && at >= seq
        if (!isRight)
          wrong.push(
            `pair ${pair}, ${add ? 'added' : 'deleted'} at ${seq}, api ${reader}, ${JSON.stringify(options)}: ${status} ${JSON.stringify(body)}`
          )
      }
    }
    console.log(`${pairs} pairs, ${3 * pairs} searches, ${wrong.length} wrong`)
    expect(wrong).toEqual([])
  },
  longMs
)

test(
  `${swaps} versions while clients search on three apis all the time: no answer fails, and none mixes two versions`,
  async () => {
    await api(0).create('swaps', created)
    // Every version has all items of one generation and no other items. The label tells the
    // generation.
    const size = 6
    const write = (generation: number) =>
      addThrough(
        generation,
        'swaps',
        Array.from({ length: size }, (_, i) => ({
          id: `item-${i}`,
          label: `generation ${generation}`,
          seed: 1 + i
        }))
      )
    const first = await write(0)
    let over = false
    let answers = 0
    const seen = new Set<string>()
    const wrong: string[] = []
    async function search(n: number): Promise<void> {
      let seq = first
      for (let asked = 0; !over; asked++) {
        const { status, body } = await api(n).askSearch('swaps', {
          vector: vector(3),
          k: 2 * size,
          consistency: asked % 2 === 0 ? 'strong' : 'eventual'
        })
        const { hits = [], index_seq: at } = body as Partial<SearchAnswer>
        const labels = new Set(hits.map(({ label }) => label))
        if (status !== 200 || hits.length !== size || labels.size !== 1 || at! < seq)
          wrong.push(`api ${n} after ${seq}: ${status} ${JSON.stringify(body)}`)
        else {
          seq = at!
          seen.add([...labels][0]!)
        }
        answers++
      }
    }
    const clients = live.apis.map((_, n) => search(n))
    let last = first
    try {
      for (let generation = 1; last < first + swaps; generation++) last = await write(generation)
    } finally {
      over = true
      await Promise.all(clients)
    }
    console.log(
      `${last - first} versions, ${answers} answers of ${seen.size} generations, ${wrong.length} wrong`
    )
    expect(wrong).toEqual([])
    expect(seen.size).toBeGreaterThan(swaps / 10)
  },
  longMs
)

async function segmentFiles(): Promise<string[]> {
  const files = await readdir(join(live.dir, 'data/objects'), { recursive: true })
  return files
    .filter((file) => file.endsWith('.payload'))
    .map((file) => join(live.dir, 'data/objects', file))
}

test('a replica that cannot read the newest version says how far behind it is, and catches up', async () => {
  const { incarnation } = await api(0).create('behind', created)
  const first = await addThrough(0, 'behind', [{ id: 'a', seed: 1 }])
  await api(1).askSearch('behind', { vector: vector(1), k: 1, consistency: 'strong' })
  const standing = async () => {
    const { replica } = (await api(1).ask('/v1/status')).body as ApiStatus
    return replica.find((one) => one.incarnation === incarnation)!
  }
  expect(await standing()).toMatchObject({ seq: first, behind_ms: 0, alarm: null })
  const before = await segmentFiles()
  const pid = live.stack.process('api-2').pid()!
  process.kill(pid, 'SIGSTOP')
  let newest = first
  const whole = new Map<string, Buffer>()
  try {
    newest = await addThrough(0, 'behind', [{ id: 'b', seed: 2 }])
    for (const file of await segmentFiles())
      if (!before.includes(file)) whole.set(file, await readFile(file))
    for (const [file, bytes] of whole)
      await writeFile(
        file,
        bytes.map((byte) => byte ^ 1)
      )
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await expect
    .poll(standing)
    .toMatchObject({ seq: first, alarm: expect.stringContaining('is damaged') })
  const { behind_ms: earlier } = await standing()
  await expect.poll(async () => (await standing()).behind_ms).toBeGreaterThan(earlier)
  for (const [file, bytes] of whole) await writeFile(file, bytes)
  await expect.poll(standing).toMatchObject({ seq: newest, behind_ms: 0, alarm: null })
})
