import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { FaissIndex } from '@likeness/faiss'
import { unitVectors } from '@likeness/faiss/testing/seeded-vectors'
import type { VectorItem } from '@likeness/shared/contract/arrow/write-arrow-items'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { ApiClient } from '../api/api-client.ts'
import { createIdMapWriter } from '../id-map/write-id-map.ts'
import { chooseEmbedding } from './choose-embedding.ts'
import { openGalleryFolder } from './gallery-folder.ts'
import { checkVectors, readGalleryVectors } from './gallery-vectors.ts'
import { sendVectors } from './send-vectors.ts'

const dim = 8
const vectors = unitVectors(3, 5, dim)
const texts = [
  'a b.jpg\tbig red',
  'c.jpg\tgreen 茶',
  'a b.jpg\tbig red',
  'd.jpg\t',
  'e.jpg\tx\tcam 1'
]
let dir: string
beforeEach(async () => {
  dir = join(temporaryFolder('taken'), 'index')
  await mkdir(dir)
})

async function write(map: readonly string[], rows = vectors): Promise<void> {
  const writer = createIdMapWriter()
  await writeFile(
    join(dir, 'id_map.pkl'),
    Buffer.concat([...map.map((text, row) => writer.add(row, text)), writer.end()])
  )
  const index = FaissIndex.create({ kind: 'hnsw', dim, metric: 'ip' })
  await index.add(rows)
  await index.exportTo(join(dir, 'vector.index'))
  index.close()
}
const open = () =>
  openGalleryFolder(dir, {
    imageRoot: undefined,
    delimiter: undefined,
    fields: [],
    scratchDir: join(dir, '..')
  })

test('a gallery of PP-ShiTu is items with their vectors: spaces live, rows of one path are one item, bad texts fail', async () => {
  await write(texts)
  const folder = await open()
  const sent: VectorItem[] = []
  const api = {
    importVectors: async (_collection: string, { items }: { items: readonly VectorItem[] }) => (
      sent.push(...items), { job: 'j', total: items.length }
    )
  } as unknown as ApiClient
  const parts = []
  const found = await readGalleryVectors(folder)
  for await (const part of sendVectors(
    { api, collection: 'c', imageRoot: '', keyBase: 'k', onTrouble: () => undefined },
    folder,
    found
  ))
    parts.push(part)
  expect(sent.map(({ id, label, metadata }) => [id, label, metadata])).toEqual([
    ['a b.jpg', 'big red', undefined],
    ['c.jpg', 'green 茶', undefined],
    ['e.jpg', 'x', { field_2: 'cam 1' }]
  ])
  const row = (i: number): number[] => [...vectors.subarray(i * dim, (i + 1) * dim)]
  expect(sent.map((item) => [...item.vectors])).toEqual([[...row(0), ...row(2)], row(1), row(4)])
  expect(parts).toMatchObject([
    {
      jobs: [{ id: 'j', total: 3, lines: Uint32Array.of(1, 2, 5) }],
      failures: [{ line: 4, path: 'd.jpg', code: 'missing_label' }]
    }
  ])
  expect([found.isUnit, found.metric, found.dim]).toEqual([true, 'ip', dim])
})

test.each([
  [
    'an index with other rows than the map',
    () => write(texts.slice(1)),
    /vector\.index has 5 vectors and .*id_map\.pkl names 4: they do not belong together/
  ],
  ['an empty text', () => write([...texts.slice(1), ' ']), /id_map\.pkl: the text of 4 is empty/],
  [
    'a text of two lines',
    () => write([...texts.slice(1), 'a\nb']),
    /the text of 4 is more than one line/
  ],
  [
    'a missing index',
    async () => (await write(texts), await rm(join(dir, 'vector.index'))),
    /vector\.index does not exist/
  ],
  [
    'an index that is none',
    async () => (await write(texts), await writeFile(join(dir, 'vector.index'), 'no index')),
    /vector\.index: /
  ],
  [
    'a vector that is no number',
    () =>
      write(
        texts,
        vectors.map((value, i) => (i === 9 ? Number.NaN : value))
      ),
    /vector 1 has values that are no numbers/
  ],
  [
    'a map that would run code',
    async () => (
      await write(texts), await writeFile(join(dir, 'id_map.pkl'), "cposix\nsystem\n(S'x'\ntR.")
    ),
    /opcode S|at offset/
  ]
])('%s is one message, and nothing is taken', async (_what, make, expected) => {
  await make()
  await expect(open().then(readGalleryVectors)).rejects.toThrow(expected)
})

test('vectors are only taken for an embedding that they can be of', async () => {
  await write(
    texts,
    vectors.map((value) => 2 * value)
  )
  const folder = await open()
  const found = await readGalleryVectors(folder)
  expect(() =>
    checkVectors(found, { version: 'm@1/p@1', dim: 512, unit: true }, 'vector.index')
  ).toThrow('vector.index has vectors of 8, the embedding m@1/p@1 makes vectors of 512')
  expect(() =>
    checkVectors(found, { version: 'm@1/p@1', dim, unit: true }, 'vector.index')
  ).toThrow('not of unit length')
  checkVectors(found, { version: 'm@1/p@1', dim, unit: false }, 'vector.index')
  const parts = [{ name: 'instance', dim, weight: 1 }]
  checkVectors(found, { version: 'm@1/p@1', dim, unit: true, parts }, 'vector.index')
})

test('vectors are taken where it is known which embedding made them, else the pictures are embedded anew', () => {
  const model = { version: 'm@1/p@1', dim, unit: true }
  const note = (version: string) => ({ embedding: { ...model, version } }) as never
  expect(chooseEmbedding({ note: undefined, model, told: undefined })).toEqual({
    take: undefined,
    why: 'nothing says which embedding made its vectors'
  })
  expect(chooseEmbedding({ note: note('m@1/p@1'), model, told: undefined }).take).toEqual({
    version: 'm@1/p@1',
    known: model
  })
  expect(chooseEmbedding({ note: note('old@1/p@1'), model, told: undefined })).toEqual({
    take: undefined,
    why: 'its vectors are those of old@1/p@1, and the model makes m@1/p@1'
  })
  expect(chooseEmbedding({ note: undefined, model: undefined, told: 'shitu' }).take).toEqual({
    version: 'shitu'
  })
  expect(chooseEmbedding({ note: undefined, model, told: 'm@1/p@1' }).take).toEqual({
    version: 'm@1/p@1',
    known: model
  })
})
