import { expect, test } from 'vitest'
import {
  changeSettings,
  type CollectionSpec,
  collectionSettingsSchema,
  type EmbeddingSpec,
  embeddingSchema,
  givenEmbeddingSchema,
  settingsChangeSchema
} from './collection.ts'
import { storedForm, weighBothSides, weighQueries } from './embedding-parts.ts'
import { presets } from './picture-settings.ts'
import { assertWeights, effectiveWeights, weightedParts } from './search-weights.ts'

const parts = [
  { name: 'instance', dim: 2, weight: 1 },
  { name: 'kind', dim: 3, weight: 0.5 }
]
const embedding: EmbeddingSpec = { version: 'm@1/own@1', dim: 5, unit: true, parts }
const spec = (weights?: Record<string, number>, more: Partial<CollectionSpec> = {}) => ({
  embedding,
  metric: 'IP' as const,
  settings: collectionSettingsSchema.parse({ weights }),
  ...more
})

test('stored form: each part has the same length, a zero part stays zero, and it is its own stored form', () => {
  const row = storedForm([3, 4, 0, 0, -9], parts)!
  const half = Math.SQRT1_2
  ;[0.6 * half, 0.8 * half, 0, 0, -half].forEach((value, i) => expect(row[i]).toBeCloseTo(value, 7))
  const again = storedForm(row, parts)!
  row.forEach((value, i) => expect(again[i]).toBeCloseTo(value, 7))
  expect([...storedForm([0, 0, 0, 5, 0], parts)!].map((value) => value / half)).toEqual([
    0,
    0,
    0,
    expect.closeTo(1, 6),
    0
  ])
  expect(storedForm([0, 0, 0, 0, 0], parts)).toBeUndefined()
  expect([...storedForm([3, 4], [{ dim: 2 }])!]).toEqual([Math.fround(0.6), Math.fround(0.8)])
})

test('equal weights leave a query as it is, others scale a copy, and both sides by the root give the same product', () => {
  const [a, b] = [storedForm([1, 2, 3, 4, 5], parts)!, storedForm([5, -3, 2, 0, 1], parts)!]
  const dot = (x: Float32Array, y: Float32Array) => x.reduce((sum, v, i) => sum + v * y[i]!, 0)
  const even = parts.map((part) => ({ ...part, weight: 7 }))
  expect(weighQueries(a, even)).toBe(a)
  const before = [...a]
  const product = dot(weighQueries(a, parts), b)
  expect([...a]).toEqual(before)
  const cosines = [
    (1 * 5 + 2 * -3) / Math.hypot(1, 2) / Math.hypot(5, -3),
    (3 * 2 + 5) / Math.hypot(3, 4, 5) / Math.hypot(2, 1)
  ]
  expect(product).toBeCloseTo((cosines[0]! + 0.5 * cosines[1]!) / 1.5, 6)
  expect(dot(weighBothSides(a, parts), weighBothSides(b, parts))).toBeCloseTo(product, 6)
  expect(dot(weighBothSides(a, parts), weighBothSides(a, parts))).toBeCloseTo(1, 6)
  const two = Float32Array.from([...a, ...b])
  expect([...weighQueries(two, parts)]).toEqual([
    ...weighQueries(a, parts),
    ...weighQueries(b, parts)
  ])
})

test('the request comes before the settings, these before the embedding, part by part', () => {
  const weights = (set?: Record<string, number>, asked?: Record<string, number>) =>
    weightedParts(spec(set), asked).map(({ weight }) => weight)
  expect(weights()).toEqual([1, 0.5])
  expect(weights({ kind: 3 })).toEqual([1, 3])
  expect(weights({ kind: 3 }, { instance: 0 })).toEqual([0, 3])
  expect(weights({ logo: 3 })).toEqual([1, 0.5])
  expect(weights({ instance: 0, kind: 0 }, { kind: 2 })).toEqual([1, 2])
  expect(effectiveWeights(spec({ kind: 0 }))).toEqual({ instance: 1, kind: 0 })
  expect(effectiveWeights(spec({}, { metric: 'hamming' }))).toBeNull()
  expect(effectiveWeights(spec({}, { embedding: { version: 'v', dim: 5, unit: true } }))).toBeNull()
})

test('a setting returns to that of the built-in profile, and one that no part fits is refused where it is given', () => {
  const settings = collectionSettingsSchema.parse({ weights: { kind: 2 } })
  const back = changeSettings(settings, settingsChangeSchema.parse({ weights: null }))
  expect(back.weights).toEqual(presets.general.weights)
  expect(() => assertWeights(spec(), { logo: 1 })).toThrow(
    /no part logo; the parts are instance, kind/
  )
  expect(() => assertWeights(spec(), { instance: 0, kind: 0 })).toThrow(/instance, kind/)
  expect(() => assertWeights(spec(), undefined)).not.toThrow()
})

test('parts add up to a dense unit vector, have names and a weight above 0; given ones may be short', () => {
  expect(embeddingSchema.parse(embedding)).toEqual(embedding)
  const given = { version: 'v', parts: [{ name: 'a', dim: 3 }] }
  expect(givenEmbeddingSchema.parse(given)).toEqual({
    version: 'v',
    dim: 3,
    unit: true,
    parts: [{ name: 'a', dim: 3, weight: 1 }]
  })
  for (const wrong of [
    { dim: 6 },
    { unit: false },
    { sparse: true },
    { parts: [] },
    { parts: [parts[0], parts[0]], dim: 4 },
    { parts: parts.map((part) => ({ ...part, weight: 0 })) },
    { parts: [{ ...parts[0], name: '_a' }, parts[1]] }
  ])
    expect(
      embeddingSchema.safeParse({ ...embedding, ...wrong }).success,
      JSON.stringify(wrong)
    ).toBe(false)
})
