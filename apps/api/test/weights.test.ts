// Collections whose embedding has parts, over HTTP, with the real engine behind the routes.
import { expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { marginOf, nearLabels } from '@likeness/shared/contract/margin'
import { kReciprocalDistances } from '../src/search/rerank.ts'
import {
  add,
  api,
  create,
  embedding,
  exported,
  patch,
  path,
  plain,
  query,
  search,
  shown,
  stops,
  things
} from '../src/test-support/marks-of-parts.ts'
import { startOwner } from '../src/test-support/start-owner.ts'
import { codeOf, embedAnswer } from '../src/test-support/start-test-api.ts'

test('a collection is shown with its parts and the weights that count, and refuses parts that are none', async () => {
  expect(await shown()).toMatchObject({
    embedding: { ...embedding, dim: 4, unit: true },
    weights: { instance: 1, kind: 0.5 }
  })
  expect((await create('heavy', { settings: { weights: { kind: 2 } } })).weights).toEqual({
    instance: 1,
    kind: 2
  })
  expect((await create('bits', { metric: 'hamming', index_method: 'FLAT' })).weights).toBeNull()
  const whole = { version: 'theirs@1/one@1', dim: 4, unit: true }
  expect((await create('whole', { embedding: whole })).weights).toBeNull()
  const part = { name: 'kind', dim: 4 }
  for (const wrong of [
    { parts: [] },
    { parts: [part, part] },
    { parts: [part], dim: 5 },
    { parts: [part], unit: false },
    { parts: [part], sparse: true },
    { parts: [{ ...part, name: 'Kind' }] },
    { parts: [{ ...part, weight: -1 }] },
    { parts: [{ ...part, weight: 101 }] },
    { parts: [{ ...part, weight: 0 }] },
    { parts: [{ ...part, more: 1 }] },
    { parts: Array.from({ length: 9 }, (_, n) => ({ ...part, name: `part_${n}` })) }
  ])
    expect([
      wrong,
      await codeOf(
        await api.post('/v1/collections', { name: 'x', embedding: { version: 'v', ...wrong } })
      )
    ]).toEqual([wrong, '400 invalid_request'])
})

test('weights that a collection cannot have are refused where it is made, changed and searched, with the names of its parts', async () => {
  await create('bits', { metric: 'hamming', index_method: 'FLAT' })
  await create('whole', { embedding: { version: 'theirs@1/one@1', dim: 4, unit: true } })
  const saying = async (response: Response) => {
    const { code, detail } = (await response.json()) as { code: string; detail: string }
    return `${response.status} ${code}: ${detail}`
  }
  const asked = (name: string, weights: unknown) =>
    api.post(`/v1/collections/${name}/search`, { vector: query, weights }).then(saying)
  for (const weights of [{ logo: 1 }, { instance: 0, kind: 0 }, { constructor: 1 }]) {
    expect(await asked('marks', weights)).toMatch(/^400 invalid_request: .*instance, kind/)
    expect(await patch(weights).then(saying)).toMatch(/^400 invalid_request: .*instance, kind/)
    expect(
      await api
        .post('/v1/collections', { name: 'x', embedding, settings: { weights } })
        .then(saying)
    ).toMatch(/^400 invalid_request: .*instance, kind/)
  }
  for (const weights of [{ kind: -1 }, { kind: 'much' }, { Kind: 1 }, [1, 2], 1])
    expect(await asked('marks', weights)).toMatch(/^400 invalid_request: .*weights/)
  expect(await asked('bits', { kind: 1 })).toMatch(/hamming.*instance, kind/)
  expect(await asked('whole', { kind: 1 })).toMatch(/no parts/)
})

test('given vectors come into stored form, part by part, once and for all', async () => {
  await add([
    { id: 'a', vectors: [[3, 4, 0, 9]] },
    { id: 'b', vectors: [[0, 0, 5, 0]] },
    { id: 'c', vectors: [[0, 0, 0, 0]] }
  ])
  const half = Math.SQRT1_2
  const rows = await exported()
  expect([...rows.keys()].sort()).toEqual(['a', 'b'])
  ;[0.6 * half, 0.8 * half, 0, half].forEach((value, i) =>
    expect(rows.get('a')![i]).toBeCloseTo(value, 7)
  )
  expect(rows.get('b')!.map((value) => Math.round(value * 1e4))).toEqual([0, 0, 7071, 0])
  const again = [...rows].map(([id, vector]) => ({ id, vectors: [vector] }))
  await add(again)
  for (const [id, vector] of await exported())
    vector.forEach((value, i) => expect(value).toBeCloseTo(rows.get(id)![i]!, 7))
  expect(await codeOf(await api.post(`${path}/search`, { vector: [0, 0, 0, 0] }))).toBe(
    '400 invalid_vector'
  )
})

test('a search by vector, by item and by picture has the weights of the request, of the settings, of the embedding', async () => {
  await add(things)
  const expectScores = ({ hits }: SearchAnswer, from: number[], weights: [number, number]) => {
    const truth = things
      .map(({ id, vectors: [row] }) => ({ id, score: plain(from, row!, weights) }))
      .filter(({ score }) => score < 1 - 1e-9)
      .sort((a, b) => b.score - a.score)
    hits.forEach(({ id, score }, place) => {
      expect(id).toBe(truth[place]!.id)
      expect(score).toBeCloseTo(truth[place]!.score, 5)
    })
  }
  expectScores(await search({ vector: query }), query, [1, 0.5])
  expectScores(await search({ vector: query, weights: { kind: 4 } }), query, [1, 4])
  expectScores(await search({ vectors: [query], weights: { instance: 0 } }), query, [0, 0.5])
  const own = things[7]!
  expectScores(await search({ item_id: own.id, weights: { kind: 0 } }), own.vectors[0]!, [1, 0])

  expect((await patch({ kind: 0.1 })).status).toBe(200)
  expect((await shown()).weights).toEqual({ instance: 1, kind: 0.1 })
  expectScores(await search({ vector: query }), query, [1, 0.1])
  expectScores(await search({ vector: query, weights: { instance: 3 } }), query, [3, 0.1])
  expect((await patch(null)).status).toBe(200)
  expectScores(await search({ vector: query }), query, [1, 0.5])

  const seen = embedAnswer([[0.6, 0.8, -1, 0].map((value) => value * Math.SQRT1_2)])
  api.embedders.answer = () => ({ ...seen, embedding: { ...embedding, dim: 4, unit: true } })
  api.embedders.known = () => [
    {
      workerId: 'w',
      url: 'http://127.0.0.1:1',
      embedding: { ...embedding, dim: 4, unit: true },
      provider: 'cpu',
      atMs: 0
    }
  ]
  const form = new FormData()
  form.append('image', new Blob(['a picture']))
  form.append('weights', '{"kind": 4}')
  form.append('consistency', 'strong')
  const answer = await api.fetch(`${path}/search`, { method: 'POST', body: form })
  expectScores((await answer.json()) as SearchAnswer, [0.6, 0.8, -1, 0], [1, 4])
})

test('margins, groups and re-ranking see everything through the same weights', async () => {
  await add(things)
  const weights: [number, number] = [1, 3]
  const near = things.map(({ id, label, vectors: [row] }) => ({
    id,
    label,
    score: plain(query, row!, weights)
  }))
  const margins = await search({ vector: query, weights: { kind: 3 }, cohort_weight: 0.5, k: 8 })
  expect(margins.hits.length).toBeGreaterThan(3)
  for (const { id, margin } of margins.hits)
    expect(margin).toBeCloseTo(
      marginOf(near.find((one) => one.id === id)!, nearLabels(near), 0.5),
      5
    )
  // With a filter the cohort is searched for apart.
  const filtered = await search({
    vector: query,
    weights: { kind: 3 },
    cohort_weight: 0.5,
    filter: { label: 'label-3' }
  })
  for (const { id, margin } of filtered.hits)
    expect(margin).toBeCloseTo(
      marginOf(near.find((one) => one.id === id)!, nearLabels(near), 0.5),
      5
    )

  const ranked = await search({ vector: query, weights: { kind: 3 }, rerank: true, k: 40 })
  const order = [...near].sort((a, b) => b.score - a.score).map(({ id }) => id)
  const weighed = (row: readonly number[]) =>
    Float32Array.from(
      [
        [row.slice(0, 2), weights[0]],
        [row.slice(2), weights[1]]
      ].flatMap(([part, weight]) => {
        const values = part as number[]
        return values.map(
          (value) => (Math.sqrt((weight as number) / 4) * value) / Math.hypot(...values)
        )
      })
    )
  const distances = kReciprocalDistances([
    weighed(query),
    ...order.map((id) => weighed(things.find((one) => one.id === id)!.vectors[0]!))
  ])
  expect(ranked.hits).toHaveLength(40)
  for (const { id, rerank_score: score } of ranked.hits)
    expect(score).toBeCloseTo(1 - distances[order.indexOf(id)]!, 4)

  const grouped = await search({ vector: query, weights: { kind: 3 }, group_by: 'label', k: 8 })
  const best = [...new Set(things.map(({ label }) => label))].map((label) =>
    Math.max(...near.flatMap((one) => (one.label === label ? [one.score] : [])))
  )
  best.sort((a, b) => b - a)
  grouped.hits.forEach(({ score }, place) => expect(score).toBeCloseTo(best[place]!, 5))
})

test('a snapshot becomes a collection of the same parts, weights and vectors', async () => {
  await add(things)
  expect((await patch({ kind: 2 })).status).toBe(200)
  expect((await api.post(`${path}/snapshots`, { name: 'now' })).status).toBeLessThan(300)
  const restored = await api.post(`${path}/snapshots/now/restore`, { into: 'copy' })
  const { incarnation, job } = (await restored.json()) as { incarnation: string; job: string }
  stops.push(await startOwner(api, incarnation))
  await expect.poll(async () => (await api.deps.jobs.status(job)).state).toBe('completed')
  expect(await shown('copy')).toMatchObject({
    embedding: (await shown()).embedding,
    weights: { instance: 1, kind: 2 }
  })
  expect(await exported('copy')).toEqual(await exported())
  const asked = { vector: query, k: 40 }
  const [copied, own] = [await search(asked, 'copy'), await search(asked)]
  expect(copied.hits.map(({ id }) => id)).toEqual(own.hits.map(({ id }) => id))
  copied.hits.forEach(({ score }, place) => expect(score).toBeCloseTo(own.hits[place]!.score, 5))
})
