// Bodies as other programs write them: golden/make.py.
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { isAppError } from '../../errors.ts'
import { readArrowItems } from './read-arrow-items.ts'

const [a, b, c] = [
  [1, 2, 3],
  [4, 5, 6],
  [7, 8, 9]
] as const

async function read(name: string): Promise<unknown[]> {
  const body = await readFile(fileURLToPath(new URL(`golden/${name}`, import.meta.url)))
  async function* chunks(): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < body.length; at += 100) yield body.subarray(at, at + 100)
  }
  const items: unknown[] = []
  for await (const rows of readArrowItems(chunks(), { dim: 3, maxBytes: 100_000 }))
    for (const row of rows) items.push({ ...row.fields(), vectors: vectorsOf(row) })
  return items
}

function vectorsOf(row: { vectors(): ArrayLike<number>[] }): unknown {
  try {
    return row.vectors().map((values) => Array.from(values))
  } catch (error) {
    return isAppError(error) ? error.code : error
  }
}

const labelled = [
  { id: 'a', label: 'x', metadata: { n: 0 }, vectors: [a] },
  { id: 'b', metadata: { n: 1 }, vectors: [b] },
  { id: 'c', label: 'x', metadata: { n: 2 }, vectors: [c] }
]
const plain = [
  { id: 'a', vectors: [a] },
  { id: 'b', vectors: [b] },
  { id: 'c', vectors: [c] }
]
const taken: [string, unknown[]][] = [
  ['two-batches.arrows', labelled],
  ['slice.arrows', labelled.slice(1)],
  ['half.arrow', plain],
  ['polars.arrows', plain],
  [
    'large.arrows',
    [
      { id: 'a', metadata: { shop: 'north', year: 2024, sale: true }, width: 3, vectors: [a] },
      { id: 'b', metadata: { year: 1, sale: false }, vectors: 'invalid_vector' },
      { id: 'c', width: 5, vectors: [c] }
    ]
  ],
  ['several.arrows', [{ id: 'a', vectors: [a, b] }, { vectors: [c] }, { id: 'c', vectors: [] }]]
]
test.each(taken)('%s gives its rows', async (name, items) => {
  expect(await read(name)).toEqual(items)
})

const refused: [string, RegExp][] = [
  ['lz4.arrows', /compressed buffers are not taken: write with compression=None/],
  ['views.arrows', /view columns are not taken: cast string_view to string/],
  ['polars-newest.arrows', /view columns are not taken/],
  ['deltas.arrows', /delta dictionaries are not taken/],
  ['map.arrows', /the column metadata is a string of JSON, or a struct of .*, not Map/]
]
test.each(refused)('%s is refused with the way out', async (name, message) => {
  await expect(read(name)).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringMatching(message) as string
  })
})
