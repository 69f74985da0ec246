import { expect, test } from 'vitest'
import { type CollectionSpec, collectionSpecSchema } from '@likeness/shared/contract/collection'
import { type MergePlan, type PlanInput, planMerge, type SegmentFacts } from './merge-plan.ts'

const seal = 1_000
const quantizer = { key: 'q', sizeBytes: 1, sha256: '', nlist: 8, trainedOn: 1_000_000 }

const specOf = (form: Partial<Pick<CollectionSpec, 'method' | 'storage'>>): CollectionSpec =>
  collectionSpecSchema.parse({
    name: 'marks',
    incarnation: 'x',
    createdAtMs: 0,
    embedding: { version: 'v', dim: 16, unit: true },
    metric: 'IP',
    method: 'HNSW32',
    settings: { seal_threshold: seal },
    ...form
  })

let made = 0
function segment(rows: number, facts: Partial<SegmentFacts> = {}): SegmentFacts {
  return {
    id: `s${made++}`,
    index: 'flat',
    storage: 'f32',
    rows,
    items: rows,
    deletedRows: 0,
    relabelledItems: 0,
    relabelledBytes: 0,
    ...facts
  }
}
const segments = (count: number, rows: number, facts?: Partial<SegmentFacts>): SegmentFacts[] =>
  Array.from({ length: count }, () => segment(rows, facts))
const idsOf = (list: readonly SegmentFacts[]): string[] => list.map(({ id }) => id)

function plan(
  list: readonly SegmentFacts[],
  options: Partial<PlanInput> & { mostRows?: number } = {}
): MergePlan | undefined {
  const { mostRows = 5_000_000, ...rest } = options
  return planMerge({
    spec: specOf({}),
    segments: list,
    quantizer: null,
    busy: new Set(),
    tier: 'small',
    shape: { mostRows, fanIn: 8 },
    ...rest
  })
}

test('small segments are compacted eight to ten at a time, the smallest class first', () => {
  const [tiny, medium] = [segments(12, 1), segments(8, 20)]
  expect(plan([...medium, ...tiny])).toMatchObject({
    inputs: idsOf(tiny.slice(0, 10)),
    config: { index: 'flat', storage: 'f32' },
    way: 'build'
  })
  expect(plan([...medium, ...tiny.slice(0, 7)])).toMatchObject({ inputs: idsOf(medium) })
  expect(plan([...medium.slice(0, 7), ...tiny.slice(0, 7)])).toBeUndefined()
})

test('small segments that together reach the seal threshold become one of the real kind', () => {
  const small = [segment(990), segment(5), segment(6)]
  expect(plan(small)).toMatchObject({
    config: { index: 'hnsw', storage: 'f32' },
    way: 'build',
    liveRows: 1_001
  })
  expect(plan(small)!.inputs).toHaveLength(3)
  expect(plan(small.slice(0, 2))).toBeUndefined()
})

test('sealed segments of one class are merged with each other, those of others are left alone', () => {
  const sealed = segments(9, 1_500, { index: 'hnsw' })
  const larger = segments(7, 40_000, { index: 'hnsw' })
  expect(plan([...sealed, ...larger], { tier: 'sealed' })).toMatchObject({
    inputs: idsOf(sealed),
    config: { index: 'hnsw' }
  })
  expect(plan([...sealed.slice(0, 7), ...larger], { tier: 'sealed' })).toBeUndefined()
  expect(plan([...sealed, ...larger], { tier: 'small' })).toBeUndefined()
})

test('a merge has at most five million rows, less where the memory allows less, and the largest class ends there', () => {
  const million = segments(6, 1_200_000, { index: 'hnsw' })
  expect(plan(million, { tier: 'sealed' })!.inputs).toHaveLength(4)
  expect(
    plan(segments(6, 1_200_000, { index: 'hnsw' }), { tier: 'sealed', mostRows: 2_000_000 })
  ).toBeUndefined()
  // Two of the results fit into no merge, so no further merge is planned.
  expect(plan(segments(6, 3_000_000, { index: 'hnsw' }), { tier: 'sealed' })).toBeUndefined()
  expect(
    plan([segment(6_000_000, { index: 'hnsw', deletedRows: 3_000_000 })], { tier: 'sealed' })
  ).toBeUndefined()
})

test('a segment is rewritten at 20 % deleted rows or relabelled items, and as a small one when few are left', () => {
  const worn = (facts: Partial<SegmentFacts>) =>
    plan([segment(2_000, { index: 'hnsw', ...facts })], { tier: 'sealed' })
  expect(worn({ deletedRows: 399 })).toBeUndefined()
  expect(worn({ deletedRows: 400 })).toMatchObject({ config: { index: 'hnsw' }, way: 'build' })
  expect(worn({ deletedRows: 1_500 })).toMatchObject({ config: { index: 'flat' } })
  expect(worn({ relabelledItems: 400 })).toMatchObject({ config: { index: 'hnsw' }, way: 'clone' })
  const small = segments(3, 10, { deletedRows: 2 })
  expect(plan([...small, segment(10)])).toMatchObject({
    inputs: idsOf(small),
    config: { index: 'flat' }
  })
})

test('what is being merged is no input of another merge', () => {
  const sealed = segments(16, 1_500, { index: 'hnsw' })
  const first = plan(sealed, { tier: 'sealed' })!
  expect(plan(sealed, { tier: 'sealed', busy: new Set(first.inputs) })).toBeUndefined()
  expect(
    plan([...sealed, ...segments(2, 1_500, { index: 'hnsw' })], {
      tier: 'sealed',
      busy: new Set(first.inputs)
    })!.inputs
  ).toHaveLength(8)
})

test('inverted lists are moved when all inputs have the quantizer of today', () => {
  const spec = specOf({ method: 'IVF' })
  const ivf = { index: 'ivf', quantizer: { key: 'q', nlist: 8 } } as const
  expect(plan(segments(8, 1_500, ivf), { spec, quantizer, tier: 'sealed' })).toMatchObject({
    way: 'lists'
  })
  expect(
    plan(
      [
        ...segments(8, 1_500, ivf),
        segment(1_500, { ...ivf, quantizer: { key: 'older', nlist: 8 } })
      ],
      { spec, quantizer, tier: 'sealed' }
    )
  ).toMatchObject({ way: 'build' })
  expect(
    plan([segment(2_000, { ...ivf, deletedRows: 900 })], { spec, quantizer, tier: 'sealed' })
  ).toMatchObject({ way: 'lists' })
})

test('a graph is kept when it has enough of the rows, and codes that those of others can be put beside', () => {
  const sq8 = { index: 'hnsw', storage: 'sq8', quantizer: { key: 'q', nlist: 0 } } as const
  const options = { spec: specOf({ storage: 'sq8' }), quantizer, tier: 'sealed' } as const
  // Two of three fit into one merge.
  const wayOf = (facts: Partial<SegmentFacts>) =>
    plan(segments(3, 9_000, { ...sq8, ...facts }), { ...options, mostRows: 18_500 })
  expect(wayOf({})).toMatchObject({ way: 'clone' })
  expect(wayOf({})!.inputs).toHaveLength(2)
  expect(wayOf({ quantizer: { key: 'older', nlist: 0 } })).toMatchObject({ way: 'build' })
  expect(wayOf({ index: 'flat', storage: 'sq8' })).toMatchObject({ way: 'build' })
  expect(plan(segments(9, 1_500, sq8), options)).toMatchObject({ way: 'build' })
})

test('at four times the rows that it was trained for, the quantizer is trained anew on as many rows as fit', () => {
  const spec = specOf({ method: 'IVF' })
  const ivf = { index: 'ivf', quantizer: { key: 'q', nlist: 8 } } as const
  const grown = segments(5, 900_000, ivf)
  expect(plan(grown, { spec, quantizer, tier: 'sealed' })).toMatchObject({
    retrain: true,
    way: 'build',
    liveRows: 4_500_000
  })
  expect(plan(grown.slice(0, 4), { spec, quantizer, tier: 'sealed' })).toBeUndefined()
  expect(
    plan(grown, { spec, quantizer, tier: 'sealed', mostRows: 2_000_000 })!.inputs
  ).toHaveLength(2)
  expect(plan(grown, { spec, quantizer, tier: 'small' })).toBeUndefined()
})

test('a single commit past the threshold is sealed by itself', () => {
  expect(plan([segment(1_200)], { tier: 'sealed' })).toMatchObject({
    config: { index: 'hnsw' },
    way: 'build'
  })
  expect(
    plan([segment(1_200)], { spec: specOf({ method: 'FLAT' }), tier: 'sealed' })
  ).toBeUndefined()
})
