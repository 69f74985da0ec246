// Tests the effect of merging on indexes: lists that move, and graphs that grow and get new
// numbers.
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { FaissIndex } from '../src/faiss-index.ts'
import { emptyIndex, everyForm, exhaustive, indexOf } from '../src/testing/every-kind.ts'
import { gaussianVectors } from '../src/testing/seeded-vectors.ts'

const dim = 16
const vectors = gaussianVectors(5, 600, dim)
const rowsOf = (first: number, count: number): Float32Array =>
  vectors.subarray(first * dim, (first + count) * dim)
/** Gives row i a different place. */
const shuffled = (count: number, first = 0, step = 7): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => first + ((i * step) % count))
const dir = temporaryFolder('merging')

async function saved(index: FaissIndex, name: string): Promise<string> {
  const path = join(dir, name)
  await index.write(path)
  index.close()
  return path
}

describe.each(everyForm.filter(({ kind }) => kind === 'ivf'))(
  'lists of ivf over $metric with $storage',
  (form) => {
    it('move with their rows, which keep their codes and get new numbers', async () => {
      const target = await emptyIndex(form, vectors, dim)
      const [first, second] = [
        await emptyIndex(form, vectors, dim),
        await emptyIndex(form, vectors, dim)
      ]
      await first.add(rowsOf(0, 400))
      await second.add(rowsOf(400, 200))
      const before = await first.reconstructRange(0, 400)
      const places = shuffled(400)
      // Every tenth row is left out. The last 40 places go to the second index.
      const kept = places.map((place, i) => (place >= 360 ? -1 : Math.sign(i) * place))
      await target.moveLists(await saved(first, 'first'), kept)
      await target.moveLists(
        await saved(second, 'second'),
        Int32Array.from({ length: 200 }, (_, i) => (i < 40 ? 360 + i : -1))
      )
      expect(target.ntotal).toBe(400)
      const read = await FaissIndex.read(await saved(target, 'target'))
      for (const row of [0, 1, 99, 250])
        if (kept[row]! >= 0)
          expect(await read.reconstructRange(kept[row]!, 1)).toEqual(
            before.subarray(row * dim, (row + 1) * dim)
          )
      const query = rowsOf(400, 1)
      expect((await read.search(query, { k: 1, ...exhaustive })).ids[0]).toBe(360)
      read.close()
    })

    it('stay where they are when the other index has other centroids, or rows that are not told a place', async () => {
      const target = await emptyIndex(form, vectors, dim)
      const other = await emptyIndex(form, gaussianVectors(77, 600, dim), dim)
      await other.add(rowsOf(0, 50))
      const path = await saved(other, 'other')
      await expect(target.moveLists(path, shuffled(50))).rejects.toMatchObject({
        code: 'invalid_argument'
      })
      const same = await emptyIndex(form, vectors, dim)
      await same.add(rowsOf(0, 50))
      await expect(target.moveLists(await saved(same, 'same'), shuffled(49))).rejects.toThrow(
        'places'
      )
      await expect(target.moveLists(join(dir, 'same'), new Int32Array(50))).rejects.toMatchObject({
        code: 'invalid_argument'
      })
    })
  }
)

describe.each(everyForm.filter(({ kind }) => kind !== 'ivf'))(
  '$kind over $metric with $storage',
  (form) => {
    it('numbered anew finds the same rows under their new numbers', async () => {
      const index = await indexOf(
        { kind: form.kind, metric: form.metric, storage: form.storage },
        vectors,
        dim
      )
      const options = { k: 10, efSearch: 200 }
      const queries = gaussianVectors(6, 20, dim)
      const [before, rows] = [
        await index.search(queries, options),
        await index.reconstructRange(0, 600)
      ]
      const places = shuffled(600)
      await index.renumber(places)
      const read = await FaissIndex.read(await saved(index, 'renumbered'))
      const after = await read.search(queries, options)
      expect(after.distances).toEqual(before.distances)
      expect([...after.ids]).toEqual([...before.ids].map((id) => places[id]))
      expect(await read.reconstruct(places)).toEqual(rows)
      await read.reserve(700)
      await read.add(rowsOf(0, 100))
      expect((await read.search(rowsOf(5, 1), { k: 2, efSearch: 200 })).ids).toContain(605)
      read.close()
    })

    it('refuses numbers that are no permutation', async () => {
      const index = await indexOf(
        { kind: form.kind, metric: form.metric, storage: form.storage },
        rowsOf(0, 300),
        dim
      )
      for (const places of [
        new Int32Array(300),
        shuffled(299),
        shuffled(300, 1),
        Int32Array.from({ length: 300 }, (_, i) => i - 1)
      ]) {
        await expect(index.renumber(places)).rejects.toBeInstanceOf(Error)
      }
      expect((await index.search(rowsOf(9, 1), { k: 1 })).ids[0]).toBe(9)
      index.close()
    })
  }
)
