// Compares the answers of a snapshot with the plain model. Every answer must be true and complete.
import type { Hit, SearchQuery } from '@likeness/engine'
import { type Cell, lossOf, rowsIn, vectorIn } from '@likeness/engine/testing/cells'
import { scoreBetween } from '@likeness/engine/testing/reference'
import { denseOf, share } from '@likeness/engine/testing/sparse'
import { dim } from '@likeness/engine/testing/test-items'
import { findStorageForm } from '@likeness/shared/contract/storage-forms'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { KnownItem } from './plain-model.ts'

export interface Asked {
  /** Seed of the query's vector. */
  seed: number
  k: number
  keep: (item: KnownItem) => boolean
  groupBy?: string
  groupSize?: number
  radius?: number
}

/**
 * Largest loss among very many rows. Rows that a small codebook was not trained on lose more than
 * most. Different vectors have a larger distance than this.
 */
const mostLost = (cell: Cell): number => {
  const { form } = findStorageForm(cell.storage)!
  const tails: Record<string, number> = { pq: 0.4, sq8: 0.03 }
  const tail = cell.rescore ? 0 : (tails[form] ?? 0)
  return Math.max(tail, lossOf(cell)[0], 2e-6)
}

/** Number of the best k that were found, over all searches of a cell. */
export interface Recall {
  found: number
  wanted: number
}

export function demand(holds: boolean, problem: () => string): void {
  if (!holds) throw new Error(problem())
}

const bitsBetween = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + Number(value > 0 !== b[i]! > 0), 0)
const sameJson = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
const sorted = (metadata: object): [string, unknown][] =>
  Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1))
/** Returns the group of an item. An item without a value is a separate group. */
const groupOf = (id: string, item: KnownItem, groupBy: string): string => {
  const value = groupBy === 'label' ? item.label : item.metadata[groupBy.slice('metadata.'.length)]
  return value === null || value === undefined ? `item ${id}` : `value ${JSON.stringify(value)}`
}

export function checkStored(
  id: string,
  stored: { label: string | null; metadata: object; revision: number; rows: unknown[] } | undefined,
  expected: KnownItem | undefined
): void {
  demand(
    (stored === undefined) === (expected === undefined),
    () =>
      `${id} is ${stored === undefined ? 'missing' : 'there'}, and should ${expected === undefined ? 'not ' : ''}be`
  )
  if (stored === undefined || expected === undefined) return
  const [is, should] = [
    [stored.label, sorted(stored.metadata), stored.revision, stored.rows.length],
    [expected.label, sorted(expected.metadata), expected.revision, expected.seeds.length]
  ]
  demand(
    sameJson(is, should),
    () => `${id} is ${JSON.stringify(is)}, and should be ${JSON.stringify(should)}`
  )
}

export function checkVectors(
  cell: Cell,
  id: string,
  vectors: VectorRows,
  { seeds }: KnownItem
): void {
  const dense = denseOf(vectors, dim)
  demand(
    dense.length === seeds.length * dim,
    () => `${id} has ${dense.length / dim} vectors of ${seeds.length}`
  )
  seeds.forEach((seed, row) => {
    const score = scoreBetween(
      cell.metric,
      dense.subarray(row * dim, (row + 1) * dim),
      vectorIn(cell, seed)
    )
    demand(
      Math.abs(score - 1) <= mostLost(cell),
      () => `row ${row} of ${id} has another vector: its score with the true one is ${score}`
    )
  })
}

/** Throws on any false hit. Adds the number of best hits that were found to `recall`. */
export function checkHits(
  cell: Cell,
  items: ReadonlyMap<string, KnownItem>,
  { asked, hits }: { asked: Asked; hits: readonly Hit[] },
  recall: Recall
): void {
  const query = vectorIn(cell, asked.seed)
  const isWithin = ({ seeds }: KnownItem): boolean =>
    asked.radius === undefined ||
    seeds.some((seed) => bitsBetween(query, vectorIn(cell, seed)) <= asked.radius!)
  const isIn = (item: KnownItem): boolean => isWithin(item) && foundBy(cell, item, query).length > 0
  const eligible = new Map([...items].filter(([, item]) => asked.keep(item) && isIn(item)))
  checkEach(cell, eligible, query, hits)
  const best = bestOf(cell, eligible, query, asked)
  demand(
    hits.length === best.length,
    () => `${hits.length} hits, and should be ${best.length} of ${eligible.size} items`
  )
  const { groupBy, groupSize = 1 } = asked
  if (groupBy !== undefined) checkGroups(eligible, hits, groupBy, groupSize)
  const least = best.at(-1) ?? -Infinity
  const good = hits.filter(
    ({ item }) => scoreOfItem(cell, eligible.get(item.id)!, query) >= least - 2e-6
  ).length
  // Groups are skipped: their best items depend on each other, so one missed item makes other
  // answers right.
  if (groupBy === undefined)
    Object.assign(recall, { found: recall.found + good, wanted: recall.wanted + best.length })
  if (cell.method === 'FLAT' && cell.storage === 'f32' && groupBy === undefined) {
    demand(good === best.length, () => `an exact search found ${good} of the best ${best.length}`)
  }
}

function checkEach(
  cell: Cell,
  eligible: ReadonlyMap<string, KnownItem>,
  query: Float32Array,
  hits: readonly Hit[]
): void {
  demand(
    new Set(hits.map(({ item }) => item.id)).size === hits.length,
    () => 'an item was answered twice'
  )
  hits.forEach(({ item, row, score }, i) => {
    const expected = eligible.get(item.id)
    demand(
      expected !== undefined,
      () => `${item.id} was answered: it is deleted, or does not match`
    )
    checkStored(item.id, item, expected)
    const should = scoreBetween(cell.metric, query, vectorIn(cell, expected!.seeds[row]!))
    demand(
      Math.abs(score - should) <= mostLost(cell),
      () => `row ${row} of ${item.id} has score ${score}, and should have ${should}`
    )
    demand(i === 0 || score <= hits[i - 1]!.score, () => 'hits are not in order of score')
  })
}

/**
 * Returns the vectors of an item that a query can meet: for sparse vectors only those that share an
 * index with the query.
 */
const foundBy = (cell: Cell, { seeds }: KnownItem, query: Float32Array): Float32Array[] =>
  seeds.map((seed) => vectorIn(cell, seed)).filter((vector) => !cell.sparse || share(query, vector))
const scoreOfItem = (cell: Cell, item: KnownItem, query: Float32Array): number =>
  Math.max(...foundBy(cell, item, query).map((vector) => scoreBetween(cell.metric, query, vector)))

/** Returns the scores of the items that must be found, best first. */
function bestOf(
  cell: Cell,
  eligible: ReadonlyMap<string, KnownItem>,
  query: Float32Array,
  { k, groupBy, groupSize = 1 }: Asked
): number[] {
  const scored = [...eligible]
    .map(([id, item]) => ({ id, item, score: scoreOfItem(cell, item, query) }))
    .sort((a, b) => b.score - a.score)
  if (groupBy === undefined) return scored.slice(0, k).map(({ score }) => score)
  const counts = new Map<string, number>()
  const room = scored.filter(({ id, item }) => {
    const group = groupOf(id, item, groupBy)
    counts.set(group, (counts.get(group) ?? 0) + 1)
    return counts.get(group)! <= groupSize
  })
  return room.slice(0, k).map(({ score }) => score)
}

function checkGroups(
  eligible: ReadonlyMap<string, KnownItem>,
  hits: readonly Hit[],
  groupBy: string,
  groupSize: number
): void {
  const counts = new Map<string, number>()
  for (const { item } of hits) {
    const group = groupOf(item.id, eligible.get(item.id)!, groupBy)
    counts.set(group, (counts.get(group) ?? 0) + 1)
    demand(
      counts.get(group)! <= groupSize,
      () => `more than ${groupSize} hits of the group ${group}`
    )
  }
}

export const queryOf = (
  cell: Cell,
  { seed, k, groupBy, groupSize, radius }: Asked,
  filter: SearchQuery['filter']
): SearchQuery => ({
  vectors: rowsIn(cell, vectorIn(cell, seed)),
  k,
  filter,
  groupBy,
  groupSize,
  hammingRadius: radius
})
