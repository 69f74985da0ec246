// Tests the rerank of hits by cells with real processes. The raw vectors come from the batch on the
// disk, and an embed-worker compares them.
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import { type LiveStack, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

let live: LiveStack
beforeAll(async () => {
  live = await startLiveStack()
})
afterAll(() => live?.stop())

async function search(fields: Record<string, string>): Promise<SearchAnswer['hits']> {
  const form = new FormData()
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  form.append('image', new Blob([new Uint8Array(await pictureOf(3))]))
  const response = await fetch(`${live.stack.apiUrl}/v1/collections/marks/search`, {
    method: 'POST',
    body: form
  })
  expect(response.status).toBe(200)
  return ((await response.json()) as SearchAnswer).hits
}

test('a picture is most like itself part by part, also after a compaction has written its segment anew', async () => {
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
  for (let round = 0; round < 2; round++) {
    const [plain, ranked] = [await search({ k: '6' }), await search({ k: '6', rerank: 'cells' })]
    expect(new Set(ranked.map(({ id }) => id))).toEqual(new Set(plain.map(({ id }) => id)))
    expect(ranked[0]).toMatchObject({
      id: 'item-3',
      score: plain[0]!.score,
      rerank_score: expect.closeTo(1, 2) as unknown
    })
    expect(
      ranked.every(({ rerank_score: score }, i) => score! <= (ranked[i - 1]?.rerank_score ?? 2))
    ).toBe(true)
    await api.ask('/v1/collections/marks/compact', { method: 'POST' })
  }
})
