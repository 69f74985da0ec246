import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { codeOf, embedAnswer, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
beforeEach(async () => {
  api = await startTestApi()
  await api.createMarks()
})
afterEach(async () => {
  expect(api.replica.open).toBe(0)
  await api.stop()
})

const ask = async (body: object): Promise<SearchAnswer> => {
  const response = await api.post('/v1/collections/marks/search', {
    k: 2,
    cohort_weight: 0.5,
    ...body
  })
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}
const brief = ({ hits }: Pick<SearchAnswer, 'hits'>) =>
  hits.map(({ id, score, margin }) => [
    id,
    ...[score, margin].map((value) => value && Math.round(1000 * value) / 1000)
  ])
/** Returns items with the given scores for the query [1, 0, 0, 0]. */
const items = (scores: Record<string, number>) =>
  Object.entries(scores).map(([id, score]) => ({
    id,
    label: id.split('-')[0]!,
    vectors: [[score, Math.sqrt(1 - score ** 2), 0, 0]]
  }))
const query = [1, 0, 0, 0]

test('what stands out passes the threshold, what is near many things by as much does not; without a weight scores are all that counts', async () => {
  api.replica.items = items({ 'a-1': 0.7, 'a-2': 0.6, b: 0.3, c: 0.3, d: 0.3, e: 0.3, f: 0.3 })
  expect(brief(await ask({ vector: query, score_thres: 0.4 }))).toEqual([
    ['a-1', 0.7, 0.55],
    ['a-2', 0.6, 0.45]
  ])
  api.replica.items = items({ 'a-1': 0.7, 'a-2': 0.6, b: 0.65, c: 0.65, d: 0.65, e: 0.65, f: 0.65 })
  expect(brief(await ask({ vector: query, score_thres: 0.4 }))).toEqual([])
  expect(brief(await ask({ vector: query, score_thres: 0.4, cohort_weight: 0 }))).toEqual([
    ['a-1', 0.7, undefined],
    ['b', 0.65, undefined]
  ])
  expect(api.replica.queries.map(({ k, scoreThres }) => [k, scoreThres])).toEqual([
    [24, -Infinity],
    [24, -Infinity],
    [2, 0.4]
  ])
})

test('weight and threshold of the collection count where the search says nothing', async () => {
  api.replica.items = items({ a: 0.7, b: 0.4, c: 0.4 })
  const made = (await (
    await api.post('/v1/collections', {
      name: 'other',
      settings: { cohort_weight: 0.5, score_thres: 0.45 }
    })
  ).json()) as { settings: object }
  api.replica.spec = { settings: made.settings as never }
  expect(brief(await ask({ vector: query, cohort_weight: undefined }))).toEqual([['a', 0.7, 0.5]])
  expect(
    await codeOf(
      await api.post('/v1/collections/marks/search', { vector: query, cohort_weight: 1.5 })
    )
  ).toBe('400 invalid_request')
})

test('neighbours are those of the whole collection, one a label, whatever is let through and however hits are grouped', async () => {
  api.replica.items = items({ a: 0.7, b: 0.4 })
  for (const more of [{ filter: { label: 'a' } }, { group_by: 'metadata.shop' }]) {
    api.replica.queries.length = 0
    await ask({ vector: query, ...more })
    expect(api.replica.queries).toHaveLength(2)
    expect(api.replica.queries[1]).toMatchObject({
      k: 7,
      groupBy: 'label',
      groupSize: 1,
      scoreThres: -Infinity
    })
    expect(api.replica.queries[1]!.filter).toBeUndefined()
  }
})

test('where one label fills what was found, other labels are searched for', async () => {
  api.replica.items = items({
    ...Object.fromEntries(Array.from({ length: 30 }, (_, i) => [`a-${i}`, 0.9 - i / 100])),
    b: 0.2
  })
  await ask({ vector: query })
  expect(api.replica.queries.map(({ groupBy }) => groupBy)).toEqual([undefined, 'label'])
})

test('an item that is asked about is no neighbour of itself', async () => {
  api.replica.items = items({ self: 1, a: 0.8, b: 0.6 })
  expect(brief(await ask({ item_id: 'self' }))).toEqual([
    ['a', 0.8, 0.5],
    ['b', 0.6, 0.2]
  ])
})

test('of several objects the one whose hit stands out most comes first, and re-ranked hits keep their order', async () => {
  api.replica.items = [
    ...items({ a: 0.9, b: 0.8, c: 0.8 }),
    { id: 'd', label: 'd', vectors: [[0, 0, 0, 1]] }
  ]
  const { hits } = await ask({ vectors: [query, [0, 0, 0.7, 0.714]], k: 3 })
  expect(hits[0]).toMatchObject({ id: 'd' })
  expect(hits[1]).toMatchObject({ id: 'a' })
  expect(hits[0]!.score).toBeLessThan(hits[1]!.score)
  const again = await ask({ vector: query, rerank: true, k: 3 })
  expect(again.hits.map(({ rerank_score: score }) => score!)).toEqual(
    [...again.hits.map(({ rerank_score: score }) => score!)].sort((a, b) => b - a)
  )
  expect(again.hits.every(({ margin }) => margin !== undefined)).toBe(true)
})

test('overlapping objects are told apart by margins, too', async () => {
  api.replica.items = [
    ...items({ a: 0.9, b: 0.8, c: 0.8 }),
    { id: 'd', label: 'd', vectors: [[0, 0, 0, 1]] }
  ]
  api.embedders.answer = () => {
    const answer = embedAnswer([query, [0, 0, 0.7, 0.714]])
    return {
      ...answer,
      objects: answer.objects.map((object) => ({
        ...object,
        kind: 'subject' as const,
        box: [0, 0, 10, 10] as [number, number, number, number]
      }))
    }
  }
  const form = new FormData()
  for (const [name, value] of Object.entries({
    image: new Blob(['a picture']),
    cohort_weight: '0.5',
    nms_iou: '0.05'
  }))
    form.append(name, value)
  const answer = (await (
    await api.fetch('/v1/collections/marks/search', { method: 'POST', body: form })
  ).json()) as SearchAnswer
  expect(answer.objects.map(({ hits: [first] }) => first?.id)).toEqual(['d'])
})
