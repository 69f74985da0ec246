import { expect, test } from 'vitest'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { encodeVector } from '@likeness/shared/contract/embedder'
import { maxLineValues } from '@likeness/shared/contract/limits'
import { parseVectorLine } from './vector-line.ts'

const specOf = (dim: number): CollectionSpec =>
  ({ metric: 'cosine', embedding: { version: 'x@1', dim, unit: true } }) as CollectionSpec
const parse = (value: unknown, dim: number) =>
  parseVectorLine({ line: 7, ordinal: 0, text: JSON.stringify(value) }, specOf(dim))

test('a line with more numbers as text than its bound fails alone, and says to send base64', async () => {
  const dim = 2048
  const rows = Array.from({ length: maxLineValues / dim + 1 }, () => Array<number>(dim).fill(1))
  const { listed, embedded } = await parse({ id: 'a', vectors: rows }, dim)
  expect(embedded).toBeUndefined()
  expect(listed.failure).toEqual({
    code: 'invalid_request',
    message: expect.stringMatching(
      /^line 7: .*at most 262144 values, not \d+\. Send `vectors` as base64/
    )
  })
  const packed = await parse(
    { id: 'a', vectors: encodeVector(Float32Array.from(rows.flat())) },
    dim
  )
  expect(packed.embedded!.item.rows).toHaveLength(rows.length)
})

test('other work gets its turn between the rows of a long line', async () => {
  const [dim, rows] = [4096, 1000]
  const text = encodeVector(new Float32Array(dim * rows).fill(1))
  let turns = 0
  const other = setInterval(() => turns++, 0)
  await parse({ id: 'a', vectors: text }, dim)
  clearInterval(other)
  expect(turns).toBeGreaterThan(0)
})
