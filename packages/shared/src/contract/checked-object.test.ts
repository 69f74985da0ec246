import { expect, test } from 'vitest'
import { z } from 'zod'
import { decodeLines, decodeObject, encodeLines, encodeObject } from './checked-object.ts'

const schema = z.object({ id: z.string(), n: z.number() })
const damaged = (key: string) =>
  expect.objectContaining({
    code: 'data_corrupt',
    message: expect.stringContaining(key) as string
  }) as Error

test('objects and lines come back as they were written', () => {
  const values = [
    { id: 'a\nb', n: 1 },
    { id: '\u2028"', n: 2 }
  ]
  expect(decodeObject(schema, 'k', encodeObject(values[0]))).toEqual(values[0])
  expect(decodeLines(schema, 'k', encodeLines(values))).toEqual(values)
  expect(decodeLines(schema, 'k', encodeLines([]))).toEqual([])
})

test('every flipped bit, every cut and every byte too many is data_corrupt and names the key', () => {
  const body = encodeLines([
    { id: 'a', n: 1 },
    { id: 'b', n: 2 }
  ])
  const refused = (bytes: Uint8Array) =>
    expect(() => decodeLines(schema, 'c/1/log/7', bytes)).toThrow(damaged('c/1/log/7'))
  for (let at = 0; at < body.length; at++) {
    refused(body.subarray(0, at))
    for (let bit = 0; bit < 8; bit++) {
      const flipped = body.slice()
      flipped[at]! ^= 1 << bit
      refused(flipped)
    }
  }
  refused(Buffer.concat([body, Buffer.from('\n')]))
})

test('lines without a checksum are damaged, however well they parse', () => {
  const cut = Buffer.from('{"id":"a","n":1}\n{"id":"b","n":1}\n')
  expect(() => decodeLines(schema, 'k', cut)).toThrow(damaged('k'))
})

test('an object from before checksums is not called damaged', () => {
  const old = Buffer.from('{"id":"a","n":1}\n')
  expect(() => decodeObject(schema, 'k', old)).toThrow(
    expect.objectContaining({
      code: 'unsupported_store',
      message: expect.stringContaining('before checksums')
    })
  )
})

test.each([
  ['a field', { id: 'a', n: 1, inside: { a: 1, later: 2 } }, 'field inside.later'],
  ['a format', { id: 'a', n: 1, format: 2 }, 'another format'],
  ['a kind', { id: 'a', n: 1, one: { kind: 'c' } }, 'another one.kind']
])('%s of a newer version is refused by name, not called damaged', (_, value, named) => {
  const strict = z.strictObject({
    id: z.string(),
    n: z.number(),
    format: z.literal(1).optional(),
    inside: z.strictObject({ a: z.number() }).optional(),
    one: z.discriminatedUnion('kind', [z.strictObject({ kind: z.literal('b') })]).optional()
  })
  expect(() => decodeObject(strict, 'k', encodeObject(value))).toThrow(
    expect.objectContaining({
      code: 'unsupported_store',
      message: expect.stringContaining(`newer version of Likeness (${named})`)
    })
  )
})

test('a whole object that is not of this program is data_corrupt', () => {
  expect(() => decodeObject(schema, 'k', encodeObject({ id: 'a' }))).toThrow(damaged('k'))
  expect(() => decodeLines(schema, 'k', encodeLines([{ id: 'a', n: 1 }, 3]))).toThrow(damaged('k'))
})
