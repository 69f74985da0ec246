import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
beforeAll(async () => {
  api = await startTestApi()
  await api.createMarks()
  const elsewhere = { version: 'elsewhere@1', dim: 2, unit: true }
  await api.post('/v1/collections', { name: 'texts', embedding: elsewhere })
  await api.store.put('queries/a.png', Buffer.from('stored'))
})
afterAll(() => api.stop())

const problemOf = async (response: Response): Promise<string> => {
  const { code, detail } = (await response.json()) as { code: string; detail: string }
  return `${response.status} ${code}: ${detail}`
}

const boxes: [number[], RegExp][] = [
  [[0.1, 0.2, 0.5, 0.9], /box: boxes are pixels .* \[0.1, 0.2, 0.5, 0.9\] looks normalised/],
  [[0, 0, 1, 1], /looks normalised .* multiply x by the width/],
  [[-0.001, 0, 1.002, 0.5], /looks normalised/],
  // Centre and size, or the place and the size, of fractions.
  [[0.5, 0.5, 0.2, 0.2], /looks normalised/],
  [[5, 5, 7, 50], /at least 3 pixels wide and high, and \[5, 5, 7, 50\] is 2 x 45/],
  [[5, 5, 5.5, 5.5], /at least 3 pixels/],
  [[100, 80, 40, 30], /x1 < x2 and y1 < y2.*\[x, y, x \+ width, y \+ height\]/]
]

test.each(boxes)('a search for the box %j is refused with a hint', async (box, hint) => {
  const body = { image_key: 'queries/a.png', box }
  const asJson = await problemOf(await api.post('/v1/collections/marks/search', body))
  expect(asJson).toMatch(/^400 invalid_request: box: /)
  expect(asJson).toMatch(hint)
  const form = new FormData()
  form.append('image', new Blob(['a picture']))
  form.append('box', JSON.stringify(box))
  const path = '/v1/collections/marks/search'
  expect(await problemOf(await api.fetch(path, { method: 'POST', body: form }))).toBe(asJson)
})

test.each(['box', 'item_box'])('a comparison refuses such a %s too', async (field) => {
  for (const [box, hint] of boxes) {
    const problem = await problemOf(
      await api.post('/v1/collections/marks/items/x/compare', { item_id: 'y', [field]: box })
    )
    expect(problem).toMatch(new RegExp(`^400 invalid_request: ${field}: `))
    expect(problem).toMatch(hint)
  }
})

test('of items with vectors, those with normalised boxes fail, and small boxes of a detector pass', async () => {
  const line = (id: string, box: number[], width = 640, height = 480) => ({
    id,
    width,
    height,
    rows: [{ kind: 'subject', box, score: 1, className: null }],
    vectors: [[1, 0]]
  })
  const lines = [
    line('normalised', [0.1, 0.1, 0.4, 0.9]),
    line('small', [5, 5, 6, 7]),
    line('unknown', [0, 0, 0, 0], 0, 0),
    line('pixel', [0, 0, 1, 1], 1, 1)
  ]
  const response = await api.fetch('/v1/collections/texts/vectors', {
    method: 'POST',
    headers: { 'content-type': 'application/x-ndjson' },
    body: lines.map((one) => JSON.stringify(one)).join('\n')
  })
  const { job } = (await response.json()) as { job: string }
  const { incarnation } = (await (await api.fetch('/v1/collections/texts')).json()) as {
    incarnation: string
  }
  const listed = await api.itemList(incarnation, job)
  expect(listed.map(({ id, failure }) => [id, failure?.code])).toEqual([
    ['normalised', 'invalid_request'],
    ['small', undefined],
    ['unknown', undefined],
    ['pixel', undefined]
  ])
  expect(listed[0]!.failure!.message).toMatch(/line 1: rows.0.box: boxes are pixels/)
})
