// Operations on a collection in the model test, with their frequency.
import type { TestItem } from '@likeness/engine/testing/test-items'
import type { Filter } from '@likeness/shared/contract/filter'
import type { Random } from '../simulation/random.ts'
import type { Change, KnownItem } from './plain-model.ts'

/**
 * Weights of three groups: operations that change, operations that read, and events of the
 * processes.
 */
const weights = {
  upsert: 300,
  delete: 140,
  relabel: 100,
  'late upsert': 40,
  'batch again': 15,
  'delete label': 8,
  'delete filtered': 5,
  'take snapshot': 12,
  'drop snapshot': 5,
  restore: 8,
  search: 150,
  'search filtered': 90,
  'search grouped': 50,
  'search within a radius': 20,
  'get item': 60,
  'get vectors': 30,
  scroll: 4,
  commit: 70,
  merge: 30,
  'merge beside commits': 15,
  compact: 2,
  collect: 6,
  'ask for an embedding': 4,
  'make the embedding': 6,
  'make the embedding beside commits': 3,
  'restart writer': 8,
  'rival writer': 4,
  'restart replica': 3,
  rebuild: 1
} as const
export type OperationName = keyof typeof weights

const total = Object.values(weights).reduce((sum, weight) => sum + weight, 0)

export function drawOperation(random: Random): OperationName {
  let at = random.below(total)
  for (const [name, weight] of Object.entries(weights)) {
    at -= weight
    if (at < 0) return name as OperationName
  }
  throw new Error('the weights do not add up')
}

/** Number of ids. It is small, so that the same ids are used again and again. */
const ids = 400
const labels = 6
const shops = ['north', 'south', 'west']

export const drawId = (random: Random): string => `item-${random.below(ids)}`
export const drawSeed = (random: Random): number => random.below(1_000_000)
const drawLabel = (random: Random): string | null =>
  random.chance(0.1) ? null : `label-${random.below(labels)}`
const drawMetadata = (random: Random): Record<string, string | number> => ({
  ...(random.chance(0.9) && { n: random.below(100) }),
  ...(random.chance(0.8) && { shop: random.pick(shops) })
})

export const drawSnapshotName = (random: Random): string =>
  random.pick(['first', 'second', 'third'])

export const drawItem = (random: Random, id = drawId(random)): TestItem => ({
  id,
  label: drawLabel(random) ?? undefined,
  metadata: drawMetadata(random),
  seeds: Array.from({ length: random.chance(0.2) ? 1 + random.below(4) : 1 }, () =>
    drawSeed(random)
  ),
  ...(random.chance(0.02) && { fails: 'image_corrupt' })
})

export const drawItems = (random: Random, most: number): TestItem[] =>
  Array.from({ length: 1 + random.below(most) }, () => drawItem(random))

export function drawChange(random: Random): Change {
  const change = {
    ...(random.chance(0.7) && { label: drawLabel(random) }),
    ...(random.chance(0.5) && { metadata: drawMetadata(random) })
  }
  return Object.keys(change).length > 0 ? change : { label: drawLabel(random) }
}

export interface DrawnFilter {
  filter: Filter
  keep: (item: KnownItem) => boolean
}

export function drawLabelFilter(random: Random): DrawnFilter {
  const label = `label-${random.below(labels)}`
  return { filter: { label }, keep: (item) => item.label === label }
}

/** Draws a filter, and the same filter as simple code. */
export function drawFilter(random: Random): DrawnFilter {
  const label = `label-${random.below(labels)}`
  const shop = random.pick(shops)
  const least = random.below(100)
  const n = ({ metadata }: KnownItem): number => (typeof metadata.n === 'number' ? metadata.n : NaN)
  const choices: DrawnFilter[] = [
    { filter: { label }, keep: (item) => item.label === label },
    {
      filter: { label: { in: [label, 'label-0'] } },
      keep: (item) => item.label === label || item.label === 'label-0'
    },
    { filter: { metadata: { n: { gte: least } } }, keep: (item) => n(item) >= least },
    {
      filter: { metadata: { n: { gt: least, lt: least + 2 } } },
      keep: (item) => n(item) > least && n(item) < least + 2
    },
    {
      filter: { metadata: { shop: { exists: false } } },
      keep: ({ metadata }) => metadata.shop === undefined
    },
    {
      filter: { metadata: { shop: { not: shop } } },
      keep: ({ metadata }) => metadata.shop !== shop
    },
    {
      filter: { label, metadata: { shop } },
      keep: (item) => item.label === label && item.metadata.shop === shop
    },
    {
      filter: { any: [{ label }, { metadata: { n: least } }] },
      keep: (item) => item.label === label || n(item) === least
    },
    {
      filter: { not: { label, metadata: { shop } } },
      keep: (item) => !(item.label === label && item.metadata.shop === shop)
    }
  ]
  return random.pick(choices)
}
