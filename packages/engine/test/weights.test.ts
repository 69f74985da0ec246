// Tests searches with weights: for random parts and weights, every metric, method and storage gives
// the scores of a plain computation.
import { afterEach, describe, expect, test } from 'vitest'
import type { CollectionSettings } from '@likeness/shared/contract/collection'
import {
  type EmbeddingPart,
  storedForm,
  type Weights
} from '@likeness/shared/contract/embedding-parts'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { seededRandom } from '@likeness/shared/data/random'
import type { GalleryOptions } from '../src/testing/gallery-stack.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { plainScore, rawVector, twoParts } from '../src/testing/parts.ts'
import { itemsFrom, type TestItem, unitVector } from '../src/testing/test-items.ts'

const k = 10
const count = 300
/** Enough for every list and every row: the recall is that of the whole. */
const searchBudget = 2 * count

let gallery: Gallery
afterEach(() => gallery.close())

function randomParts(random: () => number): EmbeddingPart[] {
  return Array.from({ length: 1 + Math.floor(4 * random()) }, (_, p) => ({
    name: `part_${p}`,
    dim: 4 + Math.floor(8 * random()),
    weight: p === 0 ? 1 : Math.floor(3 * random())
  }))
}

/** Weights of some of the parts; the first one always counts. */
const randomWeights = (random: () => number, parts: readonly EmbeddingPart[]): Weights =>
  Object.fromEntries(
    parts.flatMap(({ name }, p) =>
      p > 0 && random() < 0.3 ? [] : [[name, p > 0 && random() < 0.2 ? 0 : 0.1 + 4 * random()]]
    )
  )

async function fill(parts: EmbeddingPart[], options: GalleryOptions, items: TestItem[]) {
  gallery = await createGallery({
    sealThreshold: 48,
    width: parts.reduce((sum, { dim }) => sum + dim, 0),
    parts,
    vectorOf: (seed) => storedForm(rawVector(seed, parts), parts)!,
    ...options
  })
  const writer = await gallery.openWriter()
  await gallery.add(writer, items)
  while (await writer.merge());
  return writer
}

/** By Euclidean distance a row with a part that is zero is nearer than its parts say. */
const seedsFor = (metric: string, most: number): number[] =>
  Array.from({ length: most }, (_, i) => i + 1).filter((seed) => metric !== 'L2' || seed % 7 !== 0)
const itemsOf = (seeds: readonly number[]): TestItem[] =>
  seeds.map((seed) => ({ id: `${seed}`, label: `l${seed % 9}`, seeds: [seed] }))

const forms = (['IP', 'cosine', 'L2'] as const).flatMap((metric) =>
  (['FLAT', 'IVF', 'HNSW32'] as const).flatMap((method) => [
    { metric, method, storage: 'f32' as const, rescore: false },
    { metric, method, storage: 'sq8' as const, rescore: true }
  ])
)

describe.each(forms)('$metric $method $storage', (form) => {
  test('scores are those of a plain computation, for random parts and weights', async () => {
    const random = seededRandom(
      [...`${form.metric}${form.method}${form.storage}`].reduce(
        (a, c) => 31 * a + c.charCodeAt(0),
        7
      ) >>> 0
    )
    for (let round = 0; round < 3; round++) {
      const parts = randomParts(random)
      const seeds = seedsFor(form.metric, count)
      const set = randomWeights(random, parts)
      await fill(parts, { ...form, settings: { weights: set } }, itemsOf(seeds))
      const stored = new Map(seeds.map((seed) => [`${seed}`, rawVector(seed, parts)]))
      const defaults = Object.fromEntries(parts.map(({ name, weight }) => [name, weight]))
      await gallery.read(async (reader) => {
        for (const asked of [
          undefined,
          ...Array.from({ length: 4 }, () => randomWeights(random, parts))
        ]) {
          const weights = { ...defaults, ...set, ...asked }
          const query = rawVector(1 + 7 * Math.floor(1e4 * random()), parts)
          const [hits] = await reader.search({
            vectors: storedForm(query, parts)!,
            ...(asked && { weights: asked }),
            k,
            searchBudget
          })
          const truth = [...stored].map(([id, row]): [string, number] => [
            id,
            plainScore(query, row, parts, weights)
          ])
          const best = truth.sort(([, a], [, b]) => b - a).slice(0, k)
          const what = JSON.stringify({ parts, weights })
          expect(hits, what).toHaveLength(k)
          hits!.forEach(({ item: { id }, score, distance }, place) => {
            expect(
              Math.abs(score - plainScore(query, stored.get(id)!, parts, weights)),
              what
            ).toBeLessThan(2e-6)
            expect(Math.abs(score - best[place]![1]), what).toBeLessThan(2e-6)
            if (form.metric === 'L2')
              expect(Math.abs(distance - Math.sqrt(2 - 2 * score))).toBeLessThan(1e-3)
          })
          const grouped = (
            await reader.search({
              vectors: storedForm(query, parts)!,
              ...(asked && { weights: asked }),
              k: 5,
              groupBy: 'label',
              searchBudget
            })
          )[0]!
          const byLabel = new Map<string, number>()
          for (const [id, score] of truth) {
            const label = `l${Number(id) % 9}`
            byLabel.set(label, Math.max(score, byLabel.get(label) ?? -2))
          }
          const labels = [...byLabel.values()].sort((a, b) => b - a)
          grouped.forEach(({ score }, place) =>
            expect(Math.abs(score - labels[place]!), what).toBeLessThan(2e-6)
          )
        }
      })
      if (round < 2) await gallery.close()
    }
  })

  test('a row is identical to itself, by all weights', async () => {
    const parts = [
      { name: 'instance', dim: 10, weight: 1 },
      { name: 'kind', dim: 6, weight: 0.5 }
    ]
    await fill(parts, form, itemsOf(seedsFor(form.metric, 100)))
    await gallery.read(async (reader) => {
      const own = denseRows((await reader.getVectors('8'))!)
      const some: Weights[] = [{}, { kind: 0 }, { instance: 0 }, { kind: 100, instance: 0.1 }]
      for (const weights of some) {
        const [hit] = (await reader.search({ vectors: own, weights, k: 1, searchBudget }))[0]!
        expect(hit!.item.id).toBe('8')
        expect(hit!.score).toBeCloseTo(1, form.storage === 'f32' ? 5 : 2)
      }
    })
  })
})

const scoresWith = (weights?: Weights): Promise<number[]> =>
  gallery.read(async (reader) =>
    (
      await reader.search({
        vectors: storedForm(rawVector(5, twoParts), twoParts)!,
        ...(weights && { weights }),
        k
      })
    )[0]!.map(({ score }) => score)
  )

test('weights of the settings count until they are changed, and those of the search before them', async () => {
  const writer = await fill(twoParts, {}, itemsFrom(1, 50))
  const own = await scoresWith()
  expect(own).toEqual(await scoresWith({ instance: 1, kind: 0.5 }))
  const change = async (weights: CollectionSettings['weights'] | null) => {
    await gallery.operate({ kind: 'configure', settings: { weights } })
    await writer.step({})
  }
  await change({ kind: 3 })
  expect(await scoresWith()).toEqual(await scoresWith({ instance: 1, kind: 3 }))
  expect(await scoresWith()).not.toEqual(own)
  expect(await scoresWith({ kind: 0.5 })).toEqual(own)
  await change(null)
  expect(await scoresWith()).toEqual(own)
  // Names that the embedding does not have, as after a change of the profile.
  await change({ logo: 1, kind: 3 })
  expect(await scoresWith()).toEqual(await scoresWith({ kind: 3 }))
  await change({ instance: 0, kind: 0 })
  expect(await scoresWith()).toEqual(own)
})

test('weights that a search cannot have are refused with the names of the parts', async () => {
  await fill(twoParts, { settings: { weights: { kind: 0 } } }, itemsFrom(1, 5))
  const refused = (weights: Weights) =>
    expect(scoresWith(weights)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('instance, kind') as string,
      detail: { parts: ['instance', 'kind'] }
    })
  await refused({ logo: 1 })
  await refused({ constructor: 1 } as unknown as Weights)
  // The setting says that kind is 0.
  await refused({ instance: 0 })
})

test('bits have no weights: those of the embedding are not used, those of a search are refused', async () => {
  await fill(twoParts, { metric: 'hamming' }, itemsFrom(1, 20))
  expect((await scoresWith())[0]).toBe(1)
  await expect(scoresWith({ kind: 1 })).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('hamming') as string
  })
})

test('an embedding without parts has no weights, and is searched as before', async () => {
  gallery = await createGallery()
  const writer = await gallery.openWriter()
  await gallery.add(writer, itemsFrom(1, 20))
  await gallery.read(async (reader) => {
    const vectors = unitVector(3, 16)
    expect((await reader.search({ vectors, k: 1 }))[0]![0]).toMatchObject({ score: 1 })
    await expect(reader.search({ vectors, k: 1, weights: { kind: 1 } })).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('no parts') as string
    })
  })
})
