import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readForeignVectors } from '../src/foreign-vectors.ts'
import { idLists, recall } from '../src/testing/brute-force.ts'
import { everyForm, exhaustive, indexOf } from '../src/testing/every-kind.ts'
import { findPythonFaiss, runPython, whyNoPython } from '../src/testing/python-faiss.ts'
import { gaussianVectors } from '../src/testing/seeded-vectors.ts'

const dim = 16
const rows = 500
const vectors = gaussianVectors(1, rows, dim)
const queries = gaussianVectors(2, 20, dim)
const version = findPythonFaiss()
const why = whyNoPython(version)
let dir: string
const at = (name: string) => path.join(dir, name)

beforeEach(async () => {
  dir = temporaryFolder('python')
  await writeFile(at('vectors'), vectors)
  await writeFile(at('queries'), queries)
})

const searchScript = `
import faiss, json, numpy as np, sys
path, queries, dim = sys.argv[1], sys.argv[2], int(sys.argv[3])
index = faiss.read_index(path)
ids = index.search(np.fromfile(queries, dtype='float32').reshape(-1, dim), 5)[1]
print(json.dumps({'rows': index.ntotal, 'dim': index.d, 'ip': index.metric_type == faiss.METRIC_INNER_PRODUCT, 'ids': ids.tolist()}))
`

describe.skipIf(version === undefined).each(everyForm)(
  `Python's Faiss ${version} on a file of $storage rows of $kind over $metric${why}`,
  ({ kind, metric, storage }) => {
    it('opens it and finds the same five best of twenty queries with the effort that the file says', async () => {
      const index = await indexOf({ kind, metric, storage }, vectors, dim)
      await index.exportTo(at('plain'), exhaustive)
      const found = runPython<{ ids: number[][] }>(searchScript, [
        at('plain'),
        at('queries'),
        String(dim)
      ])
      const own = await index.search(queries, { k: 5, ...exhaustive })
      expect(found).toMatchObject({ rows, dim, ip: metric === 'ip' })
      if (storage === 'f32') expect(found.ids).toEqual(idLists(own.ids, 5))
      // Rows with equal stored values may have another order.
      expect(recall(found.ids, idLists(own.ids, 5))).toBeGreaterThan(0.97)
    })
  }
)

const makeScript = `
import faiss, json, numpy as np, sys
factory, metric, source, target, dim = sys.argv[1], sys.argv[2], sys.argv[3], sys.argv[4], int(sys.argv[5])
x = np.fromfile(source, dtype='float32').reshape(-1, dim)
index = faiss.index_factory(dim, factory, faiss.METRIC_INNER_PRODUCT if metric == 'ip' else faiss.METRIC_L2)
index.train(x)
ids = np.arange(len(x)).astype('int64')
mapped = factory.startswith('IDMap')
if mapped: ids = ids * 7 + 3
if mapped: index.add_with_ids(x, ids)
else: index.add(x)
inner = faiss.downcast_index(index.index) if mapped else index
if hasattr(inner, 'make_direct_map'): inner.make_direct_map()
faiss.write_index(index, target)
# The factory takes L2 for some kinds whatever it is asked for.
print(json.dumps({'ip': index.metric_type == faiss.METRIC_INNER_PRODUCT, 'ids': ids.tolist(), 'vectors': inner.reconstruct_n(0, len(x)).ravel().tolist()}))
`
const factories = [
  'Flat',
  'SQ8',
  'SQ4',
  'SQ6',
  'SQfp16',
  'PQ8',
  'PQ4x6',
  'HNSW16',
  'HNSW16,SQ8',
  'HNSW16,PQ4',
  'IVF8,Flat',
  'IVF8,SQ8',
  'IVF8,PQ4'
]
const foreign = [
  ...factories,
  'IDMap,Flat',
  'IDMap2,HNSW16',
  'IDMap,IVF8,SQ8',
  'IDMap2,IVF8,PQ4'
].flatMap((factory) => (['ip', 'l2'] as const).map((metric) => ({ factory, metric })))

describe.skipIf(version === undefined).each(foreign)(
  `a $factory file over $metric made by Python's Faiss ${version}${why}`,
  ({ factory, metric }) => {
    it('gives all its ids and vectors', async () => {
      type Made = { ip: boolean; ids: number[]; vectors: number[] }
      const made = runPython<Made>(makeScript, [
        factory,
        metric,
        at('vectors'),
        at('foreign'),
        String(dim)
      ])
      const found = await readForeignVectors(at('foreign'))
      expect(found).toMatchObject({ dim, metric: made.ip ? 'ip' : 'l2' })
      const place = new Map(
        Array.from(found.ids as ArrayLike<number | bigint>, (id, i) => [Number(id), i])
      )
      expect(place.size).toBe(rows)
      let worst = 0
      made.ids.forEach((id, row) => {
        for (let i = 0; i < dim; i++)
          worst = Math.max(
            worst,
            Math.abs(found.vectors[place.get(id)! * dim + i]! - made.vectors[row * dim + i]!)
          )
      })
      expect(worst).toBeLessThan(1e-5)
    })
  }
)

describe('kinds that cannot be given back row by row', () => {
  it.skipIf(version === undefined).each(['PCA8,Flat', 'LSH', 'IVF8,PQ4x4fs'])(
    `are refused by name: %s${why}`,
    async (factory) => {
      const script = makeScript
        .replace(/^inner = .*$/m, '')
        .replace(/^if hasattr\(inner.*$/m, '')
        .replace(/^print.*$/m, 'print("{}")')
      runPython(script, [factory, 'l2', at('vectors'), at('foreign'), String(dim)])
      await expect(readForeignVectors(at('foreign'))).rejects.toMatchObject({
        code: 'unsupported_index'
      })
    }
  )
})
