import { expect, test } from 'vitest'
import { describedVectorsSchema } from '@likeness/shared/contract/http/vectors'
import { maxIdLength, maxMetadataKeys } from '@likeness/shared/contract/limits'
import { isAppError } from '@likeness/shared/errors'
import { parseDescribed } from './supplied-item.ts'

const ids = ['a', 'ü'.repeat(20), '', 'x'.repeat(maxIdLength), 'x'.repeat(maxIdLength + 1)]
const badIds = ['a\u0000', 'a\u007f', '\ud800', 7, null, undefined, {}]
const labels = [undefined, null, '', 'l', 'x'.repeat(maxIdLength + 1), 7]
const manyKeys = Object.fromEntries(
  Array.from({ length: maxMetadataKeys + 1 }, (_, i) => [`k${i}`, i])
)
const metadata = [
  undefined,
  null,
  {},
  { a: 1, b: 'x', c: true, d: null },
  { a: [] },
  [],
  'x',
  manyKeys
]
const others = [{}, { width: 3 }, { width: -1 }, { rows: [] }, { vektor: 1 }, { __proto__: null }]

test('a description is taken or refused as its schema says, whatever way it is checked', () => {
  let taken = 0
  for (const id of [...ids, ...badIds])
    for (const label of labels)
      for (const one of metadata)
        for (const other of others) {
          const value: Record<string, unknown> = { id, ...other }
          if (label !== undefined) value.label = label
          if (one !== undefined) value.metadata = one
          const parsed = describedVectorsSchema.safeParse(value)
          if (parsed.success) {
            taken++
            expect(parseDescribed(value)).toEqual(parsed.data)
          } else expect(() => parseDescribed(value)).toThrow(parsed.error.issues[0]!.message)
        }
  expect(taken).toBeGreaterThan(50)
})

test('a refusal names the field', () => {
  try {
    parseDescribed({ id: 'a', metadata: { deep: {} } })
  } catch (error) {
    expect(isAppError(error, 'invalid_request') && error.message).toMatch(/^metadata\.deep: /)
    return
  }
  expect.unreachable()
})
