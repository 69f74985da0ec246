import { expect, test } from 'vitest'
import { maxMetadataBytes, maxMetadataKeys } from './limits.ts'
import { metadataProblem } from './metadata.ts'

const problemOf = (value: unknown): string => {
  const problem = metadataProblem(value)
  return problem === undefined ? 'none' : `${problem.path.join('.')}: ${problem.message}`
}

test.each([
  [JSON.parse('{"sku":1234567890123456789}'), 'sku: a whole number beyond 2^53'],
  [JSON.parse('{"sku":-9007199254740993}'), 'sku: a whole number beyond 2^53'],
  [JSON.parse('{"uuid":340282366920938463463374607431768211455}'), 'uuid: a whole number beyond'],
  [JSON.parse('{"__proto__":"x"}'), '__proto__: the key __proto__ is not allowed'],
  [JSON.parse('{"a":1e999}'), 'a: the number is too large'],
  [{ a: ['x'] }, 'a: a list is not a metadata value'],
  [{ a: { b: 1 } }, 'a: a metadata value is a text, a number, true, false or null, not an object'],
  [{ '': 1 }, ': a metadata key has 1 to 128 characters'],
  [{ a: 'x'.repeat(4097) }, 'a: a text has at most 4096 characters'],
  ['text', ': metadata is an object'],
  [[], ': metadata is an object']
])('%j is refused, with the key', (metadata, message) => {
  expect(problemOf(metadata)).toContain(message)
})

test('the number of keys and the bytes of all together are bounded', () => {
  const many = (count: number, text: string) =>
    Object.fromEntries(Array.from({ length: count }, (_, i) => [`key-${i}`, text]))
  expect(problemOf(many(maxMetadataKeys, 'x'))).toBe('none')
  expect(problemOf(many(maxMetadataKeys + 1, 'x'))).toContain(`at most ${maxMetadataKeys} keys`)
  expect(problemOf(many(17, 'x'.repeat(4000)))).toContain(`at most ${maxMetadataBytes} bytes`)
})

test('what can be kept exactly is taken', () => {
  const metadata = { a: 2 ** 53 - 1, b: -1.5e-300, c: null, d: '', e: true, constructor: 'x' }
  expect(problemOf(metadata)).toBe('none')
})
