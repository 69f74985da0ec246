// Measures what several examples bring: pictures of a collection ask for the others of their label,
// through the API.
import { createApiClient } from '../apps/cli/src/api/api-client.ts'
import { createRandom, shuffled } from '../packages/drawing/src/seeded-random.ts'
import type { Examples } from '../packages/shared/src/contract/http/search.ts'

const [collection, url = 'http://127.0.0.1:8080'] = process.argv.slice(2)
if (collection === undefined)
  throw new Error('usage: npm run bench -- examples COLLECTION [URL of the API]')
const api = createApiClient({
  url,
  ...(process.env.LIKENESS_API_KEY !== undefined && { apiKey: process.env.LIKENESS_API_KEY })
})
const [trials, fewestOfLabel, asked, seed] = [3, 8, 100, 5]

interface Item {
  id: string
  label: string | null
}
interface Figures {
  first: number
  firstFive: number
  precision: number
}

const items: Item[] = []
for await (const { id, label = null } of (await api.exportVectors(collection)).lines)
  items.push({ id, label })
const labels = new Map<string, Item[]>()
for (const item of items)
  if (item.label !== null) labels.set(item.label, [...(labels.get(item.label) ?? []), item])

async function search(
  positive: readonly Item[],
  negative: readonly Item[],
  strategy: Examples['strategy']
): Promise<Item[]> {
  const { hits } = await api.searchByExamples(
    collection!,
    { positive: [], negative: [] },
    {
      k: asked + 3,
      score_thres: -1,
      examples: {
        strategy,
        positive: positive.map(({ id }) => ({ item_id: id })),
        negative: negative.map(({ id }) => ({ item_id: id }))
      }
    }
  )
  return hits
}

function judge(hits: readonly Item[], label: string, possible: number): Figures {
  const isRight = hits.slice(0, asked).map((hit) => hit.label === label)
  let right = 0
  let sum = 0
  for (const [at, one] of isRight.entries()) if (one) sum += ++right / (at + 1)
  return {
    first: Number(isRight[0] ?? false),
    firstFive: isRight.slice(0, 5).filter(Boolean).length / 5,
    precision: sum / Math.min(asked, possible)
  }
}

const found = new Map<string, Figures[]>()
const add = (way: string, figures: Figures): void =>
  void found.set(way, [...(found.get(way) ?? []), figures])

async function askOne(label: string, all: readonly Item[], count: number): Promise<void> {
  const positive = all.slice(0, count)
  const possible = all.length - count
  const plain = await search(positive, [], 'mean')
  add(`${count} mean`, judge(plain, label, possible))
  if (count > 1) add(`${count} best`, judge(await search(positive, [], 'best'), label, possible))
  const wrong = plain.filter((hit) => hit.label !== label)
  for (const n of [1, 3]) {
    const negative = wrong.slice(0, n)
    const left = plain.filter(({ id }) => !negative.some((one) => one.id === id))
    add(`${count} mean, ${n} wrong ones only left out`, judge(left, label, possible))
    for (const strategy of ['mean', 'best'] as const)
      if (count > 1 || strategy === 'mean')
        add(
          `${count} ${strategy}, ${n} wrong ones as negative`,
          judge(await search(positive, negative, strategy), label, possible)
        )
  }
}

const asking = [...labels].filter(([, all]) => all.length >= fewestOfLabel)
const random = createRandom(seed)
for (const [label, all] of asking)
  for (let trial = 0; trial < trials; trial++)
    for (const count of [1, 2, 3, 5])
      await askOne(label, shuffled(all, random.fork(`${label} ${trial}`)), count)

const mean = (values: readonly number[]): number =>
  Number((values.reduce((a, b) => a + b, 0) / values.length).toFixed(3))
const table = [...found]
  .sort(([a], [b]) => (a < b ? -1 : 1))
  .map(([way, all]) => ({
    way,
    first: mean(all.map(({ first }) => first)),
    firstFive: mean(all.map(({ firstFive }) => firstFive)),
    map: mean(all.map(({ precision }) => precision))
  }))
for (const { way, first, firstFive, map } of table)
  process.stdout.write(`${way.padEnd(42)} ${first}  ${firstFive}  ${map}\n`)
process.stdout.write(
  `${JSON.stringify({ collection, items: items.length, labels: asking.length, table })}\n`
)
