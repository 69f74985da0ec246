// Tests that columns stay the same in a file: wide dictionaries, sparse columns, and more keys than
// columns.
import { expect, test } from 'vitest'
import type { Attributes } from '../item/item-payload.ts'
import { ColumnBuilder } from './column-builder.ts'
import { encodeColumns, openColumnFile } from './column-file.ts'
import { codeAt, codeOf, codeReader, valueOf } from './column.ts'

const open = (body: Uint8Array) =>
  openColumnFile(async (offset, length) => body.subarray(offset, offset + length))

function encode(items: number, attributesOf: (item: number) => Attributes): Uint8Array {
  const builder = new ColumnBuilder()
  for (let item = 0; item < items; item++) builder.add(attributesOf(item))
  return encodeColumns(builder.build())
}

test.each([
  [200, 1],
  [30_000, 2],
  [70_000, 4]
])('%i different values take %i bytes an item, and each is found again', async (items, width) => {
  const file = await open(
    encode(items, (item) => ({
      label: item % 2 === 0 ? `é${item}` : null,
      metadata: { n: item % 2 === 0 ? item : -item, sparse: item % 100 === 7 ? `s${item}` : null }
    }))
  )
  const [label, n, sparse] = await Promise.all(
    ['label', 'metadata.n', 'metadata.sparse'].map(async (name) => (await file.read(name))!)
  )
  expect(n!.codes.BYTES_PER_ELEMENT).toBe(width)
  expect([label!.items, sparse!.items?.length]).toEqual([undefined, items / 100])
  const read = codeReader(sparse!)
  for (let item = 0; item < items; item++) {
    expect(valueOf(label!, codeAt(label!, item))).toBe(item % 2 === 0 ? `é${item}` : undefined)
    expect(codeAt(n!, item)).toBe(codeOf(n!, item % 2 === 0 ? item : -item))
    expect(valueOf(sparse!, read(item))).toBe(item % 100 === 7 ? `s${item}` : undefined)
  }
})

test('says that it is not complete when there are more keys than columns', async () => {
  const few = await open(encode(10, (item) => ({ label: null, metadata: { [`k${item}`]: item } })))
  expect([few.complete, few.names.length]).toEqual([true, 10])
  const many = await open(
    encode(2_000, (item) => ({ label: 'a', metadata: { [`k${item}`]: item } }))
  )
  expect([many.complete, many.names.length, await many.read('metadata.k1999')]).toEqual([
    false,
    1024,
    undefined
  ])
})

test('refuses what is no columns file', async () => {
  const body = encode(3, () => ({ label: 'a', metadata: {} })).slice()
  body[4] = 9
  await expect(open(body)).rejects.toMatchObject({ code: 'unsupported_store' })
  body[0] = 9
  await expect(open(body)).rejects.toMatchObject({ code: 'data_corrupt' })
})
