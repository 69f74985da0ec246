// Tests searches with few live rows, after deletions or with a filter. Every method over bits and
// over encoded vectors is compared with an exact search.
import { afterEach, describe, expect, test } from 'vitest'
import { indexMethods } from '@likeness/shared/contract/collection'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { recallOf, type Reference } from '../src/testing/reference.ts'
import { vectorOf } from '../src/testing/test-items.ts'

const k = 10
const count = 800
const queries = Array.from({ length: 15 }, (_, i) => vectorOf(100_000 + i))

let gallery: Gallery
afterEach(() => gallery.close())

const forms: GalleryOptions[] = [
  { metric: 'hamming' },
  { metric: 'L2', storage: 'sq8', rescore: true },
  { metric: 'cosine', storage: 'pq8', rescore: true },
  { metric: 'IP', storage: 'f16' }
]
/** filtered-search.test.ts tests plain f32. */
const cells = indexMethods.flatMap((method) =>
  forms
    .filter(({ metric }) => method !== 'FLAT' || metric === 'hamming')
    .map(
      (form) =>
        [`${method} over ${form.metric}, ${form.storage ?? 'bits'}`, { method, ...form }] as const
    )
)

describe.each(cells)('%s', (name, form) =>
  test('finds the best of what is left, at 0 to 99 % deleted and of 1 % that a filter leaves', async () => {
    gallery = await createGallery({ ...form, sealThreshold: 64 })
    const metric = form.metric!
    const writer = await gallery.openWriter()
    await gallery.add(
      writer,
      Array.from({ length: count }, (_, n) => ({
        id: `item-${n}`,
        label: `label-${n % 100}`,
        seeds: [n + 1]
      }))
    )
    while (await writer.merge());
    const reference: Reference = new Map(
      Array.from({ length: count }, (_, n) => [
        `item-${n}`,
        { label: `label-${n % 100}`, vector: vectorOf(n + 1) }
      ])
    )
    const lines: string[] = []
    for (const percent of [0, 50, 90, 99]) {
      const gone = [...reference.keys()].filter(
        (id) => (Math.imul(Number(id.slice(5)) + 1, 2_654_435_761) >>> 0) / 2 ** 32 < percent / 100
      )
      gone.forEach((id) => reference.delete(id))
      if (gone.length > 0) await gallery.remove(...gone)
      await writer.step({})
      const reader = await gallery.replica.acquire(gallery.spec.collectionId, {
        consistency: 'strong',
        timeoutMs: 60_000
      })
      const vectors = Float32Array.from(queries.flatMap((query) => [...query]))
      const all = recallOf(await reader.search({ vectors, k, searchBudget: 64 }), reference, {
        metric,
        queries,
        k
      })
      const label = 'label-42'
      const few = await reader.search({ vectors, k, searchBudget: 64, filter: { label } })
      const filtered = recallOf(few, reference, {
        metric,
        queries,
        k,
        keep: (item) => item.label === label
      })
      const left = [...reference.values()].filter((item) => item.label === label).length
      reader.release()
      expect(few.map((hits) => hits.length)).toEqual(queries.map(() => Math.min(k, left)))
      lines.push(
        `${percent} %: ${all.toFixed(3)}${left === 0 ? '' : ` (filtered ${filtered.toFixed(3)})`}`
      )
      expect(all).toBeGreaterThanOrEqual(0.95)
      if (left > 0) expect(filtered).toBeGreaterThanOrEqual(0.95)
    }
    console.log(`${name}: recall@${k} at ${lines.join(', ')} deleted`)
  })
)
