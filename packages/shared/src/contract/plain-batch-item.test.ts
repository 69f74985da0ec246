import { expect, test } from 'vitest'
import { isPlainItem } from './plain-batch-item.ts'
import { batchItemSchema } from './vector-batch.ts'

const plain = {
  ordinal: 0,
  id: 'a',
  label: null,
  imageKey: null,
  line: 1,
  width: 0.5,
  height: 2,
  metadata: { a: 1, b: 'x', c: false, d: null },
  rows: [{ kind: 'whole', box: [0, 0, 1, 2], score: 1, className: null }]
}
const [row] = plain.rows
const values = [
  null,
  undefined,
  0,
  -1,
  1.5,
  2 ** 60,
  Infinity,
  NaN,
  '',
  'x',
  true,
  [],
  {},
  [null],
  { a: {} },
  { a: [1] },
  { a: Infinity },
  [{ ...row, kind: 'other' }],
  [{ ...row, box: [0, 0, 1] }],
  [{ ...row, box: [0, 0, 1, 'x'] }],
  [{ ...row, score: null }],
  [{ ...row, className: 7 }],
  [{ ...row, more: 1 }],
  [row, row]
]

test('what the quick check takes, the schema takes, and gives the same', () => {
  expect(isPlainItem(plain)).toBe(true)
  let taken = 0
  for (const field of [...Object.keys(plain), 'failure', 'raws', 'another'])
    for (const value of values) {
      const item: Record<string, unknown> = { ...plain, [field]: value }
      if (!isPlainItem(item)) continue
      taken++
      expect(batchItemSchema.parse(item)).toEqual(item)
    }
  expect(taken).toBeGreaterThan(20)
  for (const field of Object.keys(plain)) {
    const { [field]: _left, ...item } = plain as Record<string, unknown>
    if (isPlainItem(item)) expect(batchItemSchema.parse(item)).toEqual(item)
  }
})

test('a value that is no object, and metadata with the key __proto__, are left to the schema', () => {
  for (const value of [null, 7, 'x', [], [plain]]) expect(isPlainItem(value)).toBe(false)
  const metadata: unknown = JSON.parse('{"__proto__": 1}')
  expect(isPlainItem({ ...plain, metadata })).toBe(false)
})
