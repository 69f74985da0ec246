import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { readForeignVectors } from '@likeness/faiss'
import { findPythonFaiss, runPython, whyNoPython } from '@likeness/faiss/testing/python-faiss'
import { unitVectors } from '@likeness/faiss/testing/seeded-vectors'
import { encodeVector } from '@likeness/shared/contract/embedder'
import type { EmbeddingPart } from '@likeness/shared/contract/embedding-parts'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { ApiClient } from '../api/api-client.ts'
import { readIdMap } from '../id-map/read-id-map.ts'
import type { Progress } from '../progress.ts'
import { exportGallery } from './export-gallery.ts'
import { readExportNote, type RowLine, rowLineSchema } from './export-note.ts'

const dim = 16
const items = 400
/** Every third item has a second row. */
const rowsOf = (item: number): number => (item % 3 === 0 ? 2 : 1)
const firstRow = (item: number): number => item + Math.ceil(item / 3)
const rows = firstRow(items)
const vectors = unitVectors(1, rows, dim)
const queries = unitVectors(2, 20, dim)

let out: string
beforeEach(async () => {
  out = join(temporaryFolder('export'), 'index')
})

const silent: Progress = { show: () => undefined, done: () => undefined }
const idOf = (item: number): string => `set 1/图 ${item}.jpg`
const lineOf = (item: number): VectorLine => ({
  id: idOf(item),
  label: item === 7 ? null : `label of ${item}`,
  ...(item === 5 && { metadata: { camera: 'c1' } }),
  width: 30,
  height: 20,
  rows: Array.from({ length: rowsOf(item) }, (_, i) => ({
    kind: i === 0 ? 'whole' : 'view',
    box: [0, 0, 30, 20],
    score: 1,
    className: null
  })),
  vectors: encodeVector(vectors.subarray(firstRow(item) * dim, firstRow(item + 1) * dim))
})

function galleryOf({
  method = 'FLAT',
  metric = 'IP',
  count = items,
  failsAt = Infinity,
  budget,
  ...embedding
}: {
  parts?: EmbeddingPart[]
  sparse?: true
  method?: string
  metric?: string
  count?: number
  failsAt?: number
  budget?: number
} = {}) {
  async function* lines(): AsyncGenerator<VectorLine> {
    for (let item = 0; item < count; item++) {
      if (item === failsAt) throw new TypeError('terminated')
      yield lineOf(item)
    }
  }
  const api = { exportVectors: async () => ({ seq: 12, lines: lines() }) } as unknown as ApiClient
  const collection = {
    name: 'marks',
    incarnation: '01ARZ3NDEKTSV4RRFFQ69G5FAV',
    embedding: { version: 'test@1/none@1', dim, unit: true, ...embedding },
    metric,
    index_method: method,
    items: count,
    settings: { search_budget: budget }
  } as unknown as CollectionAnswer
  return exportGallery({ api, collection, outDir: out, reading: silent, building: silent })
}
const rowLines = async (): Promise<RowLine[]> =>
  (await readFile(join(out, 'id_map.ndjson'), 'utf8'))
    .trimEnd()
    .split('\n')
    .map((line) => rowLineSchema.parse(JSON.parse(line)))

test.each([
  ['FLAT', 'IBxF'],
  ['IVF', 'IBwF'],
  ['HNSW32', 'IBHf']
])('a gallery of bits becomes a binary index: %s is %s', async (method, kind) => {
  expect(await galleryOf({ method, metric: 'hamming' })).toMatchObject({ metric: 'hamming', rows })
  expect((await readFile(join(out, 'vector.index'))).toString('latin1', 0, 4)).toBe(kind)
})

test('the note says the parts of the embedding, and rows are as the API gave them', async () => {
  const parts = [
    { name: 'instance', dim: 10, weight: 1 },
    { name: 'kind', dim: 6, weight: 0.5 }
  ]
  await galleryOf({ parts })
  expect((await readExportNote(out))!.embedding).toEqual({
    version: 'test@1/none@1',
    dim,
    unit: true,
    parts
  })
  const index = await readForeignVectors(join(out, 'vector.index'))
  expect(index.vectors).toEqual(vectors)
})

test('every row of the index is named by both id maps, and the note says which version it is', async () => {
  const note = await galleryOf()
  expect(await readExportNote(out)).toEqual(note)
  expect(note).toMatchObject({
    collection: 'marks',
    seq: 12,
    items,
    rows,
    metric: 'IP',
    index_method: 'FLAT',
    embedding: { version: 'test@1/none@1' }
  })
  expect((await readdir(out)).sort()).toEqual([
    'export.json',
    'id_map.ndjson',
    'id_map.pkl',
    'vector.index'
  ])
  const found = await readForeignVectors(join(out, 'vector.index'))
  expect([found.kind, found.dim, found.vectors]).toEqual(['Flat', dim, vectors])
  const lines = await rowLines()
  expect(lines.map(({ row }) => row)).toEqual(Array.from({ length: rows }, (_, row) => row))
  expect(lines[firstRow(5)]).toMatchObject({
    id: idOf(5),
    label: 'label of 5',
    metadata: { camera: 'c1' },
    width: 30,
    box: [0, 0, 30, 20],
    kind: 'whole'
  })
  const idMap = readIdMap(join(out, 'id_map.pkl'))
  expect([...idMap]).toEqual(lines.map(({ row, id, label }) => [row, `${id}\t${label ?? ''}`]))
})

test('an export that fails leaves the one before as it was, and nothing of its own', async () => {
  await galleryOf({ count: 9 })
  const before = await stat(join(out, 'vector.index'))
  await expect(galleryOf({ failsAt: 300 })).rejects.toThrow('terminated')
  await expect(galleryOf({ count: 0 })).rejects.toThrow(
    'the collection marks holds nothing to export'
  )
  await expect(galleryOf({ sparse: true })).rejects.toThrow('holds sparse vectors')
  expect((await readdir(out)).sort()).toEqual([
    'export.json',
    'id_map.ndjson',
    'id_map.pkl',
    'vector.index'
  ])
  expect((await stat(join(out, 'vector.index'))).mtimeMs).toBe(before.mtimeMs)
  expect((await readExportNote(out))!.items).toBe(9)
})

test('what a killed export left is taken away by the next, a folder that cannot be written is said, and a note that is none too', async () => {
  await mkdir(join(out, '.export-999999999'), { recursive: true })
  await mkdir(join(out, `.export-${process.ppid}`))
  await galleryOf({ count: 3 })
  expect((await readdir(out)).filter((name) => name.startsWith('.'))).toEqual([
    `.export-${process.ppid}`
  ])
  await writeFile(join(out, 'export.json'), '{"format":2}')
  await expect(readExportNote(out)).rejects.toThrow(
    /export\.json is not what `likeness export` writes/
  )
  out = join(out, 'vector.index')
  await expect(galleryOf({ count: 3 })).rejects.toThrow(/vector\.index cannot be written/)
})

const version = findPythonFaiss()
const script = `
import faiss, json, numpy as np, pickle, sys
folder, queries, dim = sys.argv[1], sys.argv[2], int(sys.argv[3])
index = faiss.read_index(folder + '/vector.index')
with open(folder + '/id_map.pkl', 'rb') as file: id_map = pickle.load(file)
with open(folder + '/id_map.ndjson') as file: lines = [json.loads(line) for line in file]
found = index.search(np.fromfile(queries, dtype='float32').reshape(-1, dim), 20)[1]
print(json.dumps({'rows': index.ntotal, 'keys': list(id_map) == list(range(index.ntotal)), 'docs': all(id_map[row['row']].split('\\t')[0] == row['id'] for row in lines), 'ids': [[lines[row]['id'] for row in hits if row >= 0] for hits in found.tolist()]}))
`
/** Returns the five best items, found by an exact search. */
function bestItems(query: Float32Array): string[] {
  const score = (item: number): number => {
    const own = Array.from({ length: rowsOf(item) }, (_, i) =>
      vectors.subarray((firstRow(item) + i) * dim, (firstRow(item) + i + 1) * dim)
    )
    return Math.max(...own.map((row) => row.reduce((sum, value, i) => sum + value * query[i]!, 0)))
  }
  return Array.from({ length: items }, (_, item) => item)
    .sort((a, b) => score(b) - score(a))
    .slice(0, 5)
    .map(idOf)
}

describe
  .skipIf(version === undefined)
  .each(
    ['FLAT', 'IVF', 'HNSW32'].flatMap((method) =>
      ['IP', 'L2', 'cosine'].map((metric) => ({ method, metric }))
    )
  )(
  `Python's Faiss ${version} on an exported gallery of $method over $metric${whyNoPython(version)}`,
  ({ method, metric }) => {
    test('opens it and finds the five best items of twenty queries, without being told an effort', async () => {
      await galleryOf({ method, metric, budget: 1_000 })
      await writeFile(join(out, 'queries'), queries)
      const found = runPython<{ rows: number; keys: boolean; docs: boolean; ids: string[][] }>(
        script,
        [out, join(out, 'queries'), String(dim)]
      )
      expect(found).toMatchObject({ rows, keys: true, docs: true })
      expect(found.ids.map((ids) => [...new Set(ids)].slice(0, 5))).toEqual(
        Array.from({ length: 20 }, (_, q) => bestItems(queries.subarray(q * dim, (q + 1) * dim)))
      )
    })
  }
)
