// Searches by examples, and with second views of a query, with real processes.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { type LiveStack, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

let live: LiveStack
beforeAll(async () => {
  live = await startLiveStack()
  const { api } = live
  await api.create('marks', { settings: { view_sizes: [64, 32] } })
  const files = await Promise.all(
    Array.from({ length: 6 }, async (_, n) => ({
      id: `item-${n}`,
      label: 'mark',
      bytes: await pictureOf(n)
    }))
  )
  await api.finished((await api.upload('marks', files)).job)
})
afterAll(() => live?.stop())

type Parts = readonly (readonly [string, string | number])[]

/** A number is the picture of that item. */
async function search(parts: Parts): Promise<SearchAnswer> {
  const form = new FormData()
  for (const [name, value] of parts)
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, new Blob([new Uint8Array(await pictureOf(value))]))
  const response = await fetch(`${live.stack.apiUrl}/v1/collections/marks/search`, {
    method: 'POST',
    body: form
  })
  expect(response.status).toBe(200)
  return (await response.json()) as SearchAnswer
}
const scoreOf = ({ hits }: SearchAnswer, n: number): number =>
  hits.find(({ id }) => id === `item-${n}`)!.score

test('pictures and items are one query: a picture stands for its item, and what is not wanted goes down', async () => {
  const one = await search([
    ['examples', '{}'],
    ['k', '6'],
    ['image', 3]
  ])
  expect(one.objects).toMatchObject([{ kind: 'examples' }])
  expect(one.hits[0]).toMatchObject({ id: 'item-3', score: expect.closeTo(1, 4) as unknown })

  const both = await search([
    ['k', '6'],
    ['image', 3],
    ['image', 4]
  ])
  const mixed = await search([
    ['k', '6'],
    ['image', 3],
    ['examples', '{"positive":[{"item_id":"item-4"}]}']
  ])
  expect(mixed.hits.map(({ id }) => id)).not.toContain('item-4')
  expect(scoreOf(mixed, 3)).toBeCloseTo(scoreOf(both, 3), 3)
  expect(scoreOf(both, 3)).toBeLessThan(1)
  expect(scoreOf(both, 4)).toBeGreaterThan(scoreOf(one, 4))

  const away = await search([
    ['k', '6'],
    ['image', 3],
    ['negative', 4]
  ])
  expect(away.hits[0]!.id).toBe('item-3')
  expect(scoreOf(away, 4)).toBeLessThan(scoreOf(one, 4))

  const best = await search([
    ['k', '6'],
    ['image', 3],
    ['image', 4],
    ['examples', '{"strategy":"best"}']
  ])
  expect(new Set(best.hits.slice(0, 2).map(({ id }) => id))).toEqual(new Set(['item-3', 'item-4']))
  expect(best.hits[1]!.score).toBeCloseTo(1, 4)
})

test('a second view and the mean with the whole change a query, not the objects that are answered', async () => {
  const plain = await search([
    ['k', '6'],
    ['image', 3]
  ])
  const seen = await search([
    ['k', '6'],
    ['image', 3],
    ['query_views', '[0.85]']
  ])
  expect(seen.objects.map(({ kind, box }) => [kind, box])).toEqual(
    plain.objects.map(({ kind, box }) => [kind, box])
  )
  const wholeOf = ({ objects }: SearchAnswer) => objects.find(({ kind }) => kind === 'whole')!
  expect(wholeOf(seen).hits[0]!.score).toBeLessThan(wholeOf(plain).hits[0]!.score)
  const none = await search([
    ['k', '6'],
    ['image', 3],
    ['query_subjects', 'none']
  ])
  expect(none.objects.map(({ kind }) => kind)).toEqual(['whole'])
  const mean = await search([
    ['k', '6'],
    ['image', 3],
    ['whole', 'mean']
  ])
  expect(mean.objects.every(({ kind }) => kind === 'subject')).toBe(true)
})
