import { describe, expect, test } from 'vitest'
import { type Filter, filterDepth, filterProblem, filterSchema, filterShape } from './filter.ts'
import { maxFilterDepth, maxFilterNodes, maxFilterValues } from './limits.ts'

/** A filter inside so many others, without recursion. */
const nested = (levels: number, wrap: (inner: unknown) => unknown): unknown => {
  let filter: unknown = { label: 'a' }
  for (let level = 0; level < levels; level++) filter = wrap(filter)
  return filter
}
const inNot = (inner: unknown) => ({ not: inner })
const inAny = (inner: unknown) => ({ any: [inner] })
const problemOf = (value: unknown): string => {
  const problem = filterProblem(value)
  return problem === undefined ? 'none' : `${problem.path.join('.')}: ${problem.message}`
}

describe('bounds', () => {
  test.each([
    ['not', inNot],
    ['any', inAny]
  ])(
    '%s inside each other: a few levels are taken, more are refused, whatever the depth',
    (_, wrap) => {
      expect(filterProblem(nested(maxFilterDepth - 1, wrap))).toBeUndefined()
      for (const levels of [maxFilterDepth, 2_000, 300_000])
        expect(problemOf(nested(levels, wrap))).toContain(`at most ${maxFilterDepth} levels`)
    }
  )

  test('a condition has the same depth bound', () => {
    let condition: unknown = 'a'
    for (let level = 0; level < 100_000; level++) condition = { not: condition }
    expect(problemOf({ label: condition })).toContain(`at most ${maxFilterDepth} levels`)
    expect(problemOf({ metadata: { shop: condition } })).toContain('levels')
  })

  test('filters and conditions are counted over all levels', () => {
    const wide = (count: number): unknown => ({
      any: Array.from({ length: 8 }, () => ({
        any: Array.from({ length: count / 16 }, () => ({ label: 'a' }))
      }))
    })
    expect(filterProblem(wide(maxFilterNodes - 64))).toBeUndefined()
    expect(problemOf(wide(maxFilterNodes + 16))).toContain(`at most ${maxFilterNodes} filters`)
    const keys = Object.fromEntries(Array.from({ length: maxFilterNodes }, (_, i) => [`k${i}`, 1]))
    expect(problemOf({ metadata: keys })).toContain(`at most ${maxFilterNodes} filters`)
  })

  test('values of in lists are counted together', () => {
    const list = (length: number) => ({ in: Array.from({ length }, (_, i) => i) })
    expect(filterProblem({ label: list(maxFilterValues) })).toBeUndefined()
    expect(
      problemOf({ any: [{ label: list(maxFilterValues) }, { metadata: { a: list(1) } }] })
    ).toContain(`at most ${maxFilterValues} values`)
  })
})

test.each([
  [{ label: { in: ['A', null] } }, 'label.in.1: null: items without a value are {"exists": false}'],
  [{ label: null }, 'label: null: a missing value is {"exists": false}'],
  [{ metadata: { at: { gte: '2024-01-31' } } }, 'metadata.at.gte: gte is a number. Texts have no'],
  [{ metadata: { colour: ['red', 'blue'] } }, 'metadata.colour: a list of values is {"in": [...]}'],
  [{ label: { eq: 'a' } }, 'label: a condition is a text, a number, true or false (equal), {"in"'],
  [{ label: { in: [] } }, 'label.in: in is a list of one value or more'],
  [{ label: { in: [['a']] } }, 'label.in.0: a value is a text, a number, true or false'],
  [{ label: { exists: 'yes' } }, 'label.exists: exists is true or false'],
  [{ label: { gt: 1, in: [2] } }, 'label: a condition is'],
  [{ colour: 'red' }, ': "colour" is not a part of a filter: it has label, metadata, any and not'],
  [{ any: [] }, 'any: any is a list of 1 to 100 filters'],
  [{ any: { label: 'a' } }, 'any: any is a list of 1 to 100 filters'],
  [{ not: ['a'] }, 'not: a filter is an object'],
  ['red', ': a filter is an object'],
  [{ metadata: 'red' }, 'metadata: metadata is an object'],
  [{ metadata: { '': 1 } }, 'metadata: a metadata key has 1 to 128 characters'],
  [JSON.parse('{"metadata":{"__proto__":"x"}}'), 'metadata: the key __proto__ is not allowed'],
  [JSON.parse('{"label":{"in":[9007199254740993]}}'), 'label.in.0: a whole number beyond 2^53'],
  [{ metadata: { sku: 1234567890123456789 } }, 'metadata.sku: a whole number beyond 2^53'],
  [JSON.parse('{"metadata":{"a":{"gt":1e999}}}'), 'metadata.a.gt: the number is too large']
])('%j is refused with the place and the forms that are allowed', (filter, message) => {
  expect(problemOf(filter)).toContain(message)
  const { error } = filterSchema.safeParse(filter)
  expect(error!.issues).toMatchObject([{ message: filterProblem(filter)!.message }])
})

test('every form that is allowed is taken, and the stored form reads the same', () => {
  const filter: Filter = {
    label: { not: { in: ['a', 1, true] } },
    metadata: { a: 1.5, b: { gt: 1, lte: 2 ** 53 + 2 }, c: { exists: false }, constructor: 'x' },
    any: [{ label: 'b' }, { not: { metadata: { d: false } } }]
  }
  expect(filterSchema.parse(filter)).toEqual(filter)
  expect(filterShape.parse(filter)).toEqual(filter)
  expect(filterDepth(filter, 64)).toBe(3)
})
