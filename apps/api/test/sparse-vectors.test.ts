// Sparse vectors over HTTP, sent, searched and read, with the real engine behind the routes.
import { expect, test } from 'vitest'
import { maxNonZeros } from '@likeness/shared/contract/http/vectors'
import { seededRandom } from '@likeness/shared/data/random'
import {
  api,
  collectionId,
  commit,
  committed,
  exported,
  hitsOf,
  path,
  search,
  send,
  texts
} from '../src/test-support/sparse-texts.ts'
import { codeOf } from '../src/test-support/start-test-api.ts'

interface Sparse {
  indices: number[]
  values: number[]
}

test('items come as lines, are searched by vector, by several and by item, filtered, grouped and deleted', async () => {
  await send(texts)
  await commit()
  expect(await (await api.fetch(path)).json()).toMatchObject({
    items: 3,
    rows: 4,
    segments: [{ index: 'inverted', storage: 'f32', rows: 4 }]
  })
  const seven = { indices: [7], values: [2] }
  expect(hitsOf(await search({ vector: seven }))).toEqual([
    ['b', 1],
    ['a', 0.6],
    ['c', -1]
  ])
  expect(
    hitsOf(
      await search({
        vector: { indices: [7, 4_294_967_295], values: [0.3, 0.4] },
        k: 1,
        search_budget: 1
      })
    )
  ).toEqual([['a', 1]])
  expect(hitsOf(await search({ vector: seven, score_thres: 0.7 }))).toEqual([['b', 1]])
  expect(hitsOf(await search({ vector: seven, filter: { label: 'y' } }))).toEqual([['c', -1]])
  expect(hitsOf(await search({ vector: seven, exclude: { metadata: { n: 1 } } }))).toEqual([
    ['b', 1],
    ['c', -1]
  ])
  expect(hitsOf(await search({ vector: seven, group_by: 'label' }))).toEqual([
    ['b', 1],
    ['c', -1]
  ])
  expect(hitsOf(await search({ item_id: 'a' }))).toEqual([
    ['b', 0.6],
    ['c', -0.6]
  ])
  expect(
    (
      await search({
        vectors: [seven, { indices: [9], values: [1] }, { indices: [1], values: [1] }]
      })
    ).objects.map(hitsOf)
  ).toEqual([
    [
      ['b', 1],
      ['a', 0.6],
      ['c', -1]
    ],
    [['b', 1]],
    []
  ])
  expect((await search({ vector: seven, k: 1 })).hits).toEqual([
    expect.objectContaining({ id: 'b', metric: 'cosine', distance: 1 })
  ])
  expect((await committed(api.post(`${path}/delete`, { ids: ['b'] }))).status).toBe(200)
  expect(hitsOf(await search({ vector: seven }))).toEqual([
    ['a', 0.6],
    ['c', -1]
  ])
})

test('what is read can be sent back, and is the same then', async () => {
  const next = seededRandom(11)
  const random = Array.from({ length: 150 }, (_, n) => {
    const indices = [
      ...new Set(
        Array.from({ length: 1 + Math.floor(40 * next()) }, () => Math.floor(2 ** 32 * next()))
      )
    ]
    return { id: `r${n}`, vectors: [{ indices, values: indices.map(() => next() - 0.5) }] }
  })
  await send([...texts, ...random])
  await commit()
  const lines = await exported()
  expect(lines[0]).toMatchObject({
    id: 'a',
    label: 'x',
    metadata: { n: 1 },
    vectors: [{ indices: [7, 4_294_967_295], values: [Math.fround(0.6), Math.fround(0.8)] }]
  })
  expect((lines.find(({ id }) => id === 'c')!.vectors as Sparse[])[0]).toEqual({
    indices: [7],
    values: [-1]
  })
  await send(lines)
  await commit()
  expect(await exported()).toEqual(lines)
  for (const { id, vectors } of lines.filter((_, i) => i % 10 === 0))
    expect(hitsOf(await search({ vector: (vectors as Sparse[])[0]!, k: 1 }))[0]).toEqual([id, 1])
})

test('a vector that cannot be used is a failed item or a refused search, with the same code', async () => {
  const many = Array.from({ length: maxNonZeros + 1 }, (_, i) => i)
  const bad: [object | number[], string][] = [
    [{ indices: [1, 2], values: [1] }, 'invalid_vector'],
    [{ indices: [1, 1], values: [1, 2] }, 'invalid_vector'],
    [{ indices: [-1], values: [1] }, 'invalid_vector'],
    [{ indices: [0.5], values: [1] }, 'invalid_vector'],
    [{ indices: [2 ** 32], values: [1] }, 'dimension_mismatch'],
    [{ indices: [], values: [] }, 'invalid_vector'],
    [{ indices: [1], values: [0] }, 'invalid_vector'],
    [{ indices: [1], values: [1e39] }, 'invalid_vector'],
    [{ indices: many, values: many.map(() => 1) }, 'invalid_vector'],
    [[1, 0, 0], 'invalid_vector']
  ]
  const job = await send([
    ...bad.map(([vector], i) => ({ id: `bad-${i}`, vectors: [vector] })),
    { id: 'good', vectors: [{ indices: [1], values: [1] }] },
    { id: 'base64', vectors: 'AACAPw==' }
  ])
  expect((await api.itemList(collectionId, job)).map(({ failure }) => failure?.code)).toEqual([
    ...bad.map(([, code]) => code),
    undefined,
    'invalid_vector'
  ])
  for (const [vector, code] of bad)
    expect([vector, await codeOf(await api.post(`${path}/search`, { vector }))]).toEqual([
      vector,
      `400 ${code}`
    ])
  expect(await codeOf(await api.post(`${path}/search`, { vectors: 'AACAPw==' }))).toBe(
    '400 invalid_vector'
  )
  expect(
    await codeOf(await api.post(`${path}/search`, { vector: { indices: ['a'], values: [1] } }))
  ).toBe('400 invalid_vector')
  await commit()
  expect(await (await api.fetch(`/v1/jobs/${job}`)).json()).toMatchObject({
    state: 'completed',
    counts: { indexed: 1, failed: bad.length + 1 }
  })
  await api.createMarks()
  expect(
    await codeOf(
      await api.post('/v1/collections/marks/search', { vector: { indices: [1], values: [1] } })
    )
  ).toBe('400 invalid_vector')
  await api.fetch('/v1/collections/marks', { method: 'DELETE' })
})
