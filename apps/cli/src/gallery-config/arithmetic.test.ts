import { expect, test } from 'vitest'
import { parseArithmetic } from './arithmetic.ts'

test('numbers may be arithmetic, and nothing else is', () => {
  expect(['1.0/255.0', '2*(3+4)', '-1', '1e-3', ' .5 + .5 ', '2--1'].map(parseArithmetic)).toEqual([
    1 / 255,
    14,
    -1,
    0.001,
    1,
    3
  ])
  for (const text of [
    '',
    '1/0',
    'x',
    '1 2',
    '(1',
    '1)',
    'process.exit()',
    '1e999',
    '0x10',
    '1;2',
    '**',
    '('.repeat(5000)
  ])
    expect(parseArithmetic(text), text).toBeUndefined()
})
