// Compares the evaluation of a filter over columns with the simplest reading of the contract, on random items and
// filters.
import { describe, expect, test } from 'vitest'
import {
  type Condition,
  type Filter,
  type FilterScalar,
  filterShape
} from '@likeness/shared/contract/filter'
import { seededRandom } from '@likeness/shared/data/random'
import { Turns } from '@likeness/shared/process/turns'
import type { Attributes } from '../item/item-payload.ts'
import { ColumnBuilder } from './column-builder.ts'
import { encodeColumns, openColumnFile } from './column-file.ts'
import { matchItems } from './filter-items.ts'
import { filterColumns } from './filter-match.ts'

type Value = FilterScalar | null | undefined

function holds(condition: Condition, value: Value): boolean {
  if (typeof condition !== 'object') return value === condition
  if ('in' in condition) return condition.in.some((one) => one === value)
  if ('exists' in condition) return (value !== null && value !== undefined) === condition.exists
  if ('not' in condition) return !holds(condition.not, value)
  if (typeof value !== 'number') return false
  const { gt = -Infinity, gte = -Infinity, lt = Infinity, lte = Infinity } = condition
  return value > gt && value >= gte && value < lt && value <= lte
}

function matches({ label, metadata = {}, any, not }: Filter, item: Attributes): boolean {
  const of = (key: string): Value =>
    Object.hasOwn(item.metadata, key) ? item.metadata[key] : undefined
  return (
    (label === undefined || holds(label, item.label)) &&
    Object.entries(metadata).every(([key, condition]) => holds(condition, of(key))) &&
    (any === undefined || any.some((inner) => matches(inner, item))) &&
    (not === undefined || !matches(not, item))
  )
}

async function matching(filter: Filter, items: readonly Attributes[]): Promise<number[]> {
  const builder = new ColumnBuilder()
  for (const item of items) builder.add(item)
  const body = encodeColumns(builder.build())
  const file = await openColumnFile(async (offset, length) =>
    body.subarray(offset, offset + length)
  )
  const columns = new Map(
    await Promise.all(
      [...filterColumns(filter)].map(async (name) => [name, await file.read(name)] as const)
    )
  )
  const found = await matchItems(filter, { columns, items: items.length, turns: new Turns() })
  return items.flatMap((_, i) => (found[i] === 1 ? [i] : []))
}

const values: readonly Value[] = [
  '7',
  7,
  '',
  'a',
  'ab',
  'b',
  'é',
  '\ud800',
  '\ufffd',
  true,
  false,
  'true',
  0,
  -0,
  -1.5,
  1e300,
  6.999999,
  8,
  null,
  undefined
]
const keys = ['size', 'shop', 'toString', 'constructor', 'rare', 'never']

function randomCases(seed: number) {
  const random = seededRandom(seed)
  const pick = <T>(from: readonly T[]): T => from[Math.floor(random() * from.length)]!
  const scalars = values.filter(
    (value): value is FilterScalar => value !== null && value !== undefined
  )
  const item = (): Attributes => {
    const metadata = Object.fromEntries(
      keys
        .filter((key) => key !== 'never' && random() < (key === 'rare' ? 0.02 : 0.7))
        .map((key) => [key, pick(values)])
        .filter(([, value]) => value !== undefined)
    )
    return { label: random() < 0.2 ? null : String(pick(scalars)), metadata }
  }
  const condition = (depth: number): Condition => {
    const draw = random()
    if (draw < 0.35) return pick(scalars)
    if (draw < 0.5)
      return { in: Array.from({ length: 1 + Math.floor(random() * 4) }, () => pick(scalars)) }
    if (draw < 0.7)
      return {
        [pick(['gt', 'gte', 'lt', 'lte'])]: pick([-2, 0, 6.999999, 7, 7.5, 1e300]),
        ...(random() < 0.5 ? { lte: pick([0, 7, 8]) } : {})
      }
    if (draw < 0.8 || depth > 2) return { exists: random() < 0.5 }
    return { not: condition(depth + 1) }
  }
  const filter = (depth: number): Filter => ({
    ...(random() < 0.4 ? { label: condition(0) } : {}),
    ...(random() < 0.7
      ? {
          metadata: Object.fromEntries(
            Array.from({ length: 1 + Math.floor(random() * 2) }, () => [pick(keys), condition(0)])
          )
        }
      : {}),
    ...(depth < 2 && random() < 0.3
      ? { any: Array.from({ length: 1 + Math.floor(random() * 3) }, () => filter(depth + 1)) }
      : {}),
    ...(depth < 2 && random() < 0.3 ? { not: filter(depth + 1) } : {})
  })
  return {
    items: Array.from({ length: 1 + Math.floor(random() * 300) }, item),
    filters: Array.from({ length: 25 }, () => filter(0))
  }
}

describe('a compiled filter', () => {
  test('lets the same items through as the contract does, on random ones', async () => {
    let some = 0
    for (let seed = 1; seed <= 60; seed++) {
      const { items, filters } = randomCases(seed)
      for (const drawn of filters) {
        const filter = filterShape.parse(drawn)
        const expected = items.flatMap((item, i) => (matches(filter, item) ? [i] : []))
        expect(await matching(filter, items), `seed ${seed}: ${JSON.stringify(filter)}`).toEqual(
          expected
        )
        if (expected.length > 0 && expected.length < items.length) some++
      }
    }
    // The filters must match some items and reject some items. Otherwise the comparison has little
    // meaning.
    expect(some).toBeGreaterThan(400)
  })

  test.each<[string, Filter, number[]]>([
    ['types matter', { metadata: { n: '7' } }, [1]],
    ['numbers are equal by value', { metadata: { n: 7 } }, [0]],
    ['not matches what has no value', { metadata: { n: { not: 7 } } }, [1, 2, 3]],
    ['null does not exist', { metadata: { n: { exists: false } } }, [2, 3]],
    ['ranges hold for numbers only', { metadata: { n: { gte: 0 } } }, [0]],
    ['an empty filter lets everything through', {}, [0, 1, 2, 3]],
    ['no label is not an empty one', { label: { not: { exists: true } } }, [3]]
  ])('%s', async (_name, filter, expected) => {
    const items: Attributes[] = [
      { label: 'a', metadata: { n: 7 } },
      { label: 'b', metadata: { n: '7' } },
      { label: 'c', metadata: { n: null } },
      { label: null, metadata: {} }
    ]
    expect(await matching(filter, items)).toEqual(expected)
  })
})
