// The log and its readers: an entry that cannot be applied has no effect, and the log goes on.
import { expect, test } from 'vitest'
import { encodeObject } from './checked-object.ts'
import { maxRelabelBytes } from './limits.ts'
import { assertApplicable, decodeLogSlot, type Operation } from './operation.ts'

const head = { opId: 'op', atMs: 1 }
const deep = (levels: number): unknown => {
  let filter: unknown = { label: 'a' }
  for (let level = 0; level < levels; level++) filter = { not: filter }
  return filter
}
const slotOf = (...operations: unknown[]): Uint8Array => encodeObject({ format: 1, operations })
const read = (...operations: unknown[]) => decodeLogSlot('slot', slotOf(...operations)).operations
const good: Operation = { ...head, kind: 'delete', ids: ['a'] }

test('an operation of an older program that no reader can apply has no effect, its neighbours do', () => {
  expect(read(good, { ...head, kind: 'delete_where', filter: deep(500) }, good)).toEqual([
    good,
    { ...head, kind: 'void', code: 'too_large' },
    good
  ])
  expect(read({ ...head, kind: 'delete', ids: [] })).toEqual([
    { ...head, kind: 'void', code: 'invalid_request' }
  ])
  const metadata = { text: 'x'.repeat(2 ** 20) }
  const ids = Array.from({ length: 400 }, (_, i) => `id-${i}`)
  expect(read({ ...head, kind: 'relabel', ids, metadata })).toEqual([
    { ...head, kind: 'void', code: 'too_large' }
  ])
})

test('limits of reading are wider than those of writing', () => {
  const wide = { ...head, kind: 'delete_where', filter: deep(60) }
  expect(read(wide)).toEqual([wide])
  const big = {
    ...head,
    kind: 'relabel',
    ids: ['a'],
    metadata: { n: 2 ** 60, t: 'x'.repeat(9_000) }
  }
  expect(read(big)).toEqual([big])
})

test.each([
  ['a kind', { ...head, kind: 'teleport' }],
  ['a field', { ...good, speed: 3 }],
  ['a field inside', { ...head, kind: 'relabel', ids: ['a'], label: 'x', later: {} }]
])('%s of a newer program stops the reader, by name', (_, operation) => {
  expect(() => read(operation)).toThrow(
    expect.objectContaining({
      code: 'unsupported_store',
      message: expect.stringContaining('newer version')
    })
  )
})

test('an operation beyond a bound is refused before the log has it, with the bound and the size', () => {
  const ids = Array.from({ length: 10_000 }, (_, i) => `id-${i}`)
  const relabel = (length: number): Operation => ({
    ...head,
    kind: 'relabel',
    ids,
    metadata: { text: 'x'.repeat(length) }
  })
  expect(() => assertApplicable(relabel(1_000))).not.toThrow()
  expect(() => assertApplicable(relabel(2_000))).toThrow(
    expect.objectContaining({
      code: 'too_large',
      detail: { limit: 'maxRelabelBytes', max: maxRelabelBytes, asked: expect.any(Number) }
    })
  )
  const filter = deep(500) as never
  expect(() => assertApplicable({ ...head, kind: 'delete_where', filter })).toThrow(
    'cannot be applied'
  )
})
