import { readdir, readFile, truncate, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { beforeEach, describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { FaissIndex } from '../src/faiss-index.ts'
import { everyKind, exhaustive, indexOf } from '../src/testing/every-kind.ts'
import { gaussianVectors } from '../src/testing/seeded-vectors.ts'

const dim = 12
let dir: string
let file: string

beforeEach(async () => {
  dir = temporaryFolder('file')
  file = path.join(dir, 'rows.index')
})

describe.each(everyKind)('a file of $kind over $metric', ({ kind, metric }) => {
  const vectors = gaussianVectors(1, 300, dim)
  const written = async (rows = vectors) => {
    const index = await indexOf({ kind, metric }, rows, dim)
    await index.write(file)
    return index
  }

  it('gives an index that answers and grows as the one that was written', async () => {
    const index = await written()
    const copy = await FaissIndex.read(file)
    expect({ kind: copy.kind, dim: copy.dim, metric: copy.metric, ntotal: copy.ntotal }).toEqual({
      kind,
      dim,
      metric,
      ntotal: 300
    })
    const queries = gaussianVectors(2, 10, dim)
    for (const options of [{ k: 5 }, { k: 5, ...exhaustive }]) {
      expect(await copy.search(queries, options)).toEqual(await index.search(queries, options))
    }
    expect(await copy.reconstructRange(0, 300)).toEqual(vectors)
    await copy.add(queries)
    expect(await copy.reconstructRange(300, 10)).toEqual(queries)
    const self = await copy.search(queries.subarray(0, dim), { k: 310, ...exhaustive })
    expect(Array.from(self.ids)).toContain(300)
  })

  it('has the same bytes in memory', async () => {
    const index = await written()
    expect(Buffer.from(await index.toBytes()).equals(await readFile(file))).toBe(true)
  })

  it('replaces an older one and leaves no temporary file', async () => {
    await written()
    await written(vectors.subarray(0, 20 * dim))
    expect((await FaissIndex.read(file)).ntotal).toBe(20)
    expect(await readdir(dir)).toEqual(['rows.index'])
  })

  it('is refused when it is cut off anywhere', async () => {
    await written()
    const { length } = await readFile(file)
    const cuts = Array.from({ length: 40 }, (_, i) => Math.floor((length * i) / 40)).concat(
      1,
      4,
      23,
      24,
      length - 24,
      length - 1
    )
    for (const cut of cuts.sort((a, b) => b - a)) {
      await truncate(file, cut)
      await expect(FaissIndex.read(file), `cut at ${cut}`).rejects.toMatchObject({
        code: 'data_corrupt'
      })
    }
  })

  it('is refused when any bit of it is wrong', async () => {
    await written()
    const bytes = await readFile(file)
    const step = Math.floor(bytes.length / 60)
    const places = [
      ...Array(80).keys(),
      ...Array.from({ length: 60 }, (_, i) => i * step),
      ...Array.from({ length: 24 }, (_, i) => bytes.length - 1 - i)
    ]
    for (const place of places) {
      const damaged = Buffer.from(bytes)
      damaged[place]! ^= 1 << (place % 8)
      await writeFile(file, damaged)
      await expect(FaissIndex.read(file), `byte ${place}`).rejects.toMatchObject({
        code: 'data_corrupt'
      })
    }
  })

  it('is refused with bytes added or left out', async () => {
    await written()
    const bytes = await readFile(file)
    const changed = [
      Buffer.concat([bytes, Buffer.from([0])]),
      Buffer.concat([bytes, bytes]),
      bytes.subarray(1),
      Buffer.alloc(bytes.length)
    ]
    for (const content of changed) {
      await writeFile(file, content)
      await expect(FaissIndex.read(file)).rejects.toMatchObject({ code: 'data_corrupt' })
    }
  })
})

describe('reading and writing', () => {
  it('says which file is not there, and that a folder is not a file', async () => {
    await expect(FaissIndex.read(file)).rejects.toMatchObject({
      code: 'faiss_failed',
      message: expect.stringContaining(file)
    })
    await expect(FaissIndex.read(dir)).rejects.toMatchObject({
      code: 'faiss_failed',
      message: expect.stringContaining('regular file')
    })
  })

  it('fails with the reason where nothing can be written, and leaves nothing behind', async () => {
    const index = await indexOf({ kind: 'flat', metric: 'l2' }, gaussianVectors(1, 5, dim), dim)
    await expect(index.write(path.join(dir, 'missing', 'x'))).rejects.toMatchObject({
      code: 'faiss_failed',
      message: expect.stringMatching(/No such file/)
    })
    await expect(index.write(dir)).rejects.toMatchObject({ code: 'faiss_failed' })
    expect(await readdir(dir)).toEqual([])
  })

  it('works for an empty index of every kind', async () => {
    for (const { kind, metric } of everyKind) {
      const spec = { dim, metric }
      const index = FaissIndex.create(
        kind === 'ivf'
          ? { kind, ...spec, centroids: gaussianVectors(1, 4, dim) }
          : { kind, ...spec }
      )
      await index.write(file)
      const copy = await FaissIndex.read(file)
      expect(copy.ntotal).toBe(0)
      await copy.add(gaussianVectors(2, 3, dim))
      expect((await copy.search(gaussianVectors(2, 1, dim), { k: 3, nprobe: 4 })).ids).toContain(0)
    }
  })
})
