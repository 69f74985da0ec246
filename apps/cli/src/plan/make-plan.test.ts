// Tests plans: what is chosen for which size, and that costs grow as they should.
import { expect, test } from 'vitest'
import { collectionBytes } from '@likeness/shared/contract/index-memory'
import { machine } from './constants.ts'
import { formatBytes, formatPlan } from './format-plan.ts'
import { makePlan, type PlanInput } from './make-plan.ts'
import { parsePlan } from './run-plan.ts'
import { listsSearched, searchCpuMs } from './search-cost.ts'

const input: PlanInput = {
  items: 1_000_000,
  rowsPerItem: 1,
  dim: 512,
  ramBytes: 16e9,
  recall: 0.95,
  qps: 0,
  cores: 2,
  byPicture: true
}
const planOf = (change: Partial<PlanInput>) => makePlan({ ...input, ...change }, machine)

test.each<[Partial<PlanInput>, string]>([
  [{ items: 5_000 }, 'FLAT f32'],
  [{}, 'HNSW32 f32'],
  [{ ramBytes: 5e9 }, 'HNSW32 f16'],
  [{ items: 12_000_000 }, 'IVF sq8'],
  [{ items: 100_000_000 }, '-'],
  // No product code comes so near, so there is no room for these either.
  [{ items: 20_000_000, ramBytes: 8e9 }, '-'],
  [{ items: 20_000_000, ramBytes: 8e9, recall: 0.55 }, 'IVF pq64']
])('%j: %s', (change, expected) => {
  const { choice } = planOf(change)
  expect(choice === undefined ? '-' : `${choice.method} ${choice.storage}`).toBe(expected)
})

test('the memory of a plan is that of the formula, and all processes fit beside it', () => {
  const { choice, machineBytes, rows } = planOf({ rowsPerItem: 2 })
  expect(rows).toBe(2_000_000)
  expect(choice!.memoryBytes).toBe(
    collectionBytes(
      { method: 'HNSW32', metric: 'cosine', storage: 'f32', dim: 512 },
      { items: 1_000_000, rows: 2_000_000 }
    )
  )
  expect(machineBytes!).toBeGreaterThan(choice!.memoryBytes)
  expect(machineBytes!).toBeLessThan(16e9)
})

test('storage that misses the recall is rescored, and left out where that is not enough', () => {
  const { candidates } = planOf({})
  const bySize = new Map(candidates.map((one) => [`${one.method} ${one.storage}`, one]))
  expect(bySize.get('IVF sq8')).toMatchObject({ rescore: true, reachesRecall: true })
  expect(bySize.get('IVF pq64')).toMatchObject({ rescore: true, reachesRecall: false })
  expect(bySize.get('FLAT f32')).toMatchObject({ rescore: false, reachesRecall: true })
})

test('more searches need more replicas, and pictures more inference', () => {
  expect(planOf({ qps: 10 }).replicas).toBe(1)
  expect(planOf({ qps: 5_000 }).replicas).toBeGreaterThan(2)
  expect(planOf({ qps: 500 }).embedProcesses).toBeGreaterThan(20)
  expect(planOf({ qps: 500, byPicture: false }).embedProcesses).toBe(2)
})

test('an import takes its hours, and a store its bytes', () => {
  const { embedHours, storeBytes } = planOf({})
  // 57.3 pictures a second: docs/benchmarks.md, two processes.
  expect(embedHours).toBeCloseTo(1e6 / 57.3 / 3600, -0.5)
  expect(storeBytes).toBeGreaterThan(1e6 * (2 * 2048 + 2048))
  expect(planOf({ byPicture: false }).storeBytes).toBeLessThan(storeBytes)
})

test('searches cost more for more rows and more recall', () => {
  const shape = {
    method: 'HNSW32',
    metric: 'cosine',
    storage: 'f32',
    dim: 512,
    rows: 20_000,
    recall: 0.95,
    rescore: false
  } as const
  expect(searchCpuMs(shape, machine)).toBeCloseTo(machine.graphMs, 6)
  for (const method of ['FLAT', 'IVF', 'HNSW32'] as const) {
    const ms = (change: object) => searchCpuMs({ ...shape, method, ...change }, machine)
    expect(ms({ rows: 1e6 })).toBeGreaterThan(ms({}))
    if (method !== 'FLAT') expect(ms({ recall: 0.99 })).toBeGreaterThan(ms({}))
  }
  expect(listsSearched(0.5)).toBeLessThan(listsSearched(0.95))
  expect(listsSearched(0.9999)).toBeLessThanOrEqual(1)
})

test('the text names the choice, or what is past one machine', () => {
  expect(formatPlan(planOf({}))).toContain('"index_method": "HNSW32", "storage": "f32"')
  const beyond = formatPlan(planOf({ items: 100_000_000 }))
  expect(beyond).toContain('No method with that recall fits')
  expect(beyond).toMatch(/Milvus: about [\d.]+ GB/)
  expect([0, 999, 1_000, 2.5e9].map(formatBytes)).toEqual(['0 B', '999 B', '1.0 KB', '2.5 GB'])
})

test('arguments are checked', () => {
  const given = ['--items', '1000', '--dim', '64', '--ram', '4', '--recall', '.9']
  expect(parsePlan([...given, '--vectors', '--cores', '8'])).toMatchObject({
    input: { items: 1000, dim: 64, ramBytes: 4e9, recall: 0.9, cores: 8, byPicture: false },
    measure: false
  })
  expect(() => parsePlan(given.slice(2))).toThrow('--items is missing')
  expect(() => parsePlan([...given, '--qps', 'many'])).toThrow('--qps many: a number from')
})
