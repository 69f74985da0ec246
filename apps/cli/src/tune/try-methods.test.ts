// Tests the comparison of methods on few vectors: all of them, with figures that make sense.
import { expect, test } from 'vitest'
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import { seededNormal } from '@likeness/shared/data/random'
import { formatMethods, nameOf } from './format-tune.ts'
import { sampleRows } from './sampled-rows.ts'
import { productForm } from '../product-form.ts'
import { tryMethods } from './try-methods.ts'
import { renderTune } from './tune-svg.ts'

const dim = 16
const items = 1_500

function vectorsOf(count: number): Float32Array {
  const vectors = Float32Array.from({ length: count * dim }, seededNormal(1))
  for (let at = 0; at < vectors.length; at += dim) {
    const length = Math.hypot(...vectors.subarray(at, at + dim))
    for (let i = at; i < at + dim; i++) vectors[i]! /= length
  }
  return vectors
}

function sample(metric: string, count = items) {
  const vectors = vectorsOf(count)
  const line = (n: number) => ({
    id: `${n}`,
    vectors: encodeVector(vectors.subarray(n * dim, (n + 1) * dim))
  })
  async function* lines() {
    for (let n = 0; n < count; n++) yield line(n)
  }
  const api = { exportVectors: async () => ({ seq: 1, lines: lines() }) }
  const collection = { name: 'marks', items: count, rows: count, metric, embedding: { dim } }
  const answer = { ...collection, weights: null } as unknown as CollectionAnswer
  return sampleRows(api as never, answer)
}

test('every method and storage form is tried, and all that keep their vectors find them', async () => {
  const rows = await sample('cosine')
  expect([rows.queries.length / dim, rows.vectors.length / dim]).toEqual([200, 1_300])
  const seen: string[] = []
  const asked = { metric: 'cosine', recall: 0.9, k: 10, onFigures: () => seen.push('') } as const
  const figures = await tryMethods(rows, asked)
  expect(seen).toHaveLength(figures.length)
  expect(new Set(figures.map(nameOf)).size).toBe(18)
  for (const one of figures.filter(({ storage }) => !storage.startsWith('pq'))) {
    expect(one.reached, nameOf(one)).toBe(true)
    expect(one.recall, nameOf(one)).toBeGreaterThanOrEqual(0.9)
  }
  const [flat] = figures
  expect(flat).toMatchObject({ method: 'FLAT', storage: 'f32', recall: 1, bytesARow: 4 * dim })
  expect(formatMethods(figures)).toMatch(/IVF pq2 .*never reaches it/)
  expect(renderTune('marks', [], figures).match(/<circle/g)).toHaveLength(18)
}, 120_000)

test('bits have one storage form, and their ties count as found', async () => {
  const figures = await tryMethods(await sample('hamming'), {
    metric: 'hamming',
    recall: 0.9,
    k: 10,
    onFigures: () => undefined
  })
  expect(figures.map(nameOf)).toEqual(['FLAT bits', 'IVF bits', 'HNSW32 bits'])
  expect(figures[0]).toMatchObject({ recall: 1, bytesARow: 2 })
})

test('too few rows are refused, and the quantizer has parts of about eight values', async () => {
  await expect(sample('cosine', 900)).rejects.toThrow('compares from 1200 on')
  expect([8, 512, 640, 100, 7, 1].map(productForm)).toEqual([
    'pq1',
    'pq64',
    'pq80',
    'pq10',
    'pq1',
    'pq1'
  ])
})
