import { expect, test } from 'vitest'
import { withBoxes } from './evaluation-set.ts'

const query = (name: string, box?: [number, number, number, number]) => ({
  name,
  file: name,
  labels: ['x'],
  fields: {},
  kind: 'known',
  ...(box && { box })
})

test('with true boxes the queries that have one are asked, and nothing is measured where none has', () => {
  expect(
    withBoxes([query('a', [1, 2, 3, 4]), query('b')], 'set').map(({ name, box }) => [name, box])
  ).toEqual([['a', [1, 2, 3, 4]]])
  expect(() => withBoxes([query('b')], 'set')).toThrow('set: no query has a box')
})
