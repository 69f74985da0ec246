import { afterEach, beforeEach, expect, test } from 'vitest'
import type { Calibration } from '@likeness/shared/confidence/calibration'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import {
  embedAnswer,
  embedding,
  startTestApi,
  type TestApi
} from '../test-support/start-test-api.ts'
import { placesOf } from './hit-confidences.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
  api.replica.items = items({ 'a-1': 0.9, 'a-2': 0.8, b: 0.5, c: 0.45, d: 0.4, e: 0.3, f: 0.2 })
  api.replica.calibration = calibration()
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const query = [1, 0, 0, 0]
/** Returns items with the given scores for the query. */
const items = (scores: Record<string, number>) =>
  Object.entries(scores).map(([id, score]) => ({
    id,
    label: id.split('-')[0]!,
    vectors: [[score, Math.sqrt(1 - score ** 2), 0, 0]]
  }))
const calibration = (change: Partial<Calibration> = {}): Calibration => ({
  format: 1,
  kind: 'learned',
  prior: 'other',
  weights: [1, 1, 1, -1],
  scale: 1,
  embedding: embedding.version,
  parts: [],
  items: 7,
  createdAtMs: 0,
  probes: { known: 6, strangers: 6 },
  ece: 0.05,
  reliability: [],
  curve: [],
  ...change
})
const ask = async (body: object): Promise<SearchAnswer> => {
  const response = await api.post('/v1/collections/marks/search', { k: 3, ...body })
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}
const sigmoid = (logit: number): number => 1 / (1 + Math.exp(-logit))
const sure = ({ hits }: Pick<SearchAnswer, 'hits'>) => hits.map(({ confidence }) => confidence)

test('each hit says how sure it is, hits of a label the same, and the first one makes the verdict', async () => {
  api.replica.calibration = calibration({ weights: [0.3, 0.3, 1, -1] })
  const answer = await ask({ vector: query })
  // Margin .9 - .37, gap .4, and of the four other items near the one that can have the label.
  const first = sigmoid(0.3 * 8 * (0.53 + 0.4) + 0.5 - 1)
  expect(sure(answer)).toEqual([
    expect.closeTo(first, 3),
    expect.closeTo(first, 3),
    expect.closeTo(sigmoid(0.3 * 8 * (0.05 - 0.4) - 1), 3)
  ])
  expect([answer.verdict, answer.objects[0]!.verdict]).toEqual(['match', 'match'])
})

test('what is near to many things is unsure or unknown, and its hits stay in the answer', async () => {
  api.replica.items = items({ a: 0.52, b: 0.5, c: 0.5, d: 0.5, e: 0.5, f: 0.5 })
  api.replica.calibration = calibration({ weights: [1, 1, 1, -2] })
  const answer = await ask({ vector: query })
  expect(answer.hits).toHaveLength(3)
  expect(answer.verdict).toBe('unknown')
  api.replica.calibration = calibration({ weights: [1, 1, 1, -0.5] })
  expect((await ask({ vector: query })).verdict).toBe('unsure')
})

test('a filter, groups and a re-ranking do not change how sure a hit is', async () => {
  const [, , b] = (await ask({ vector: query })).hits
  for (const more of [{ filter: { label: 'b' } }, { group_by: 'label' }, { rerank: true }]) {
    const { hits } = await ask({ vector: query, ...more })
    expect(hits.find(({ label }) => label === 'b')!.confidence).toBe(b!.confidence)
  }
})

test('a threshold hides hits as before; without a hit the thing is unknown', async () => {
  const answer = await ask({ vector: query, score_thres: 0.95 })
  expect(answer).toMatchObject({ verdict: 'unknown', hits: [], objects: [{ verdict: 'unknown' }] })
})

test('the item that is asked about is no evidence', async () => {
  api.replica.items = [...items({ self: 1 }), ...api.replica.items]
  const { hits } = await ask({ item_id: 'self' })
  expect(hits[0]).toMatchObject({ id: 'a-1' })
  api.replica.items = api.replica.items.slice(1)
  expect(hits[0]!.confidence).toBe((await ask({ vector: query })).hits[0]!.confidence)
})

test('nothing is said with fewer than five labels, of an unknown model without a calibration, and with other weights', async () => {
  api.replica.calibration = calibration({ embedding: 'another@1/general@1' })
  expect(await ask({ vector: query })).toMatchObject({ verdict: 'unsure' })
  expect(sure(await ask({ vector: query }))).toEqual([null, null, null])
  api.replica.calibration = calibration()
  api.replica.items = items({ a: 0.9, b: 0.5, c: 0.45, d: 0.4 })
  expect(sure(await ask({ vector: query }))).toEqual([null, null, null])
})

test('the best of several boxes of a picture is believed less than a vector', async () => {
  api.replica.calibration = calibration({ weights: [0.2, 0.2, 1, -1] })
  const boxes = [
    [0, 0, 10, 10],
    [20, 20, 30, 30]
  ] as [number, number, number, number][]
  api.embedders.answer = () => {
    const answer = embedAnswer([query, query])
    const objects = answer.objects.map((object, i) => ({
      ...object,
      kind: 'subject' as const,
      box: boxes[i]!
    }))
    return { ...answer, objects }
  }
  const form = new FormData()
  form.append('image', new Blob(['a picture']))
  const response = await api.fetch('/v1/collections/marks/search', { method: 'POST', body: form })
  const answer = (await response.json()) as SearchAnswer
  const alone = await ask({ vector: query })
  expect(answer.objects).toHaveLength(2)
  expect(answer.hits[0]!.confidence!).toBeLessThan(alone.hits[0]!.confidence!)
})

test('a box counts as a place as far as no earlier one covers it', () => {
  const subject = (...box: [number, number, number, number]) => ({ kind: 'subject' as const, box })
  expect(placesOf([subject(0, 0, 1, 1)])).toBe(1)
  expect(placesOf([subject(0, 0, 1, 1), subject(0, 0, 1, 1)])).toBe(1)
  expect(placesOf([subject(0, 0, 1, 1), subject(0, 0, 1, 0.5)])).toBeCloseTo(1.5)
  expect(placesOf([subject(0, 0, 1, 1), subject(2, 0, 3, 1), subject(4, 0, 5, 1)])).toBe(3)
  expect(placesOf([{ kind: 'vector', box: null }])).toBe(1)
})
