import { describe, expect, it } from 'vitest'
import { FaissIndex } from '../src/faiss-index.ts'
import { linearTransform } from '../src/linear-transform.ts'
import { symmetricEigen } from '../src/symmetric-eigen.ts'
import { distanceOf, rowOf } from '../src/testing/brute-force.ts'
import { metrics } from '../src/testing/every-kind.ts'
import { gaussianVectors } from '../src/testing/seeded-vectors.ts'
import { trainCentroids } from '../src/train-centroids.ts'

describe('linearTransform', () => {
  const [dIn, dOut, n] = [37, 19, 130]
  const x = gaussianVectors(1, n, dIn)
  const matrix = gaussianVectors(2, dOut, dIn)
  const bias = gaussianVectors(3, 1, dOut)
  const plain = (row: number, out: number) =>
    distanceOf('ip', rowOf(x, dIn, row), rowOf(matrix, dIn, out))

  it('multiplies each row by the matrix and adds the bias', async () => {
    const without = await linearTransform(x, { matrix, dIn, dOut })
    const withBias = await linearTransform(x, { matrix, bias, dIn, dOut })
    expect(without).toHaveLength(n * dOut)
    for (const row of [0, 1, 63, 64, 129]) {
      for (let out = 0; out < dOut; out++) {
        expect(without[row * dOut + out]).toBeCloseTo(plain(row, out), 4)
        expect(withBias[row * dOut + out]).toBeCloseTo(plain(row, out) + bias[out]!, 4)
      }
    }
  })

  it('scales rows to unit length and leaves a zero row zero', async () => {
    const input = Float32Array.from(x).fill(0, 2 * dIn, 3 * dIn)
    const out = await linearTransform(input, { matrix, dIn, dOut, normalize: true })
    for (const row of [0, 1, 3, 129]) expect(Math.hypot(...rowOf(out, dOut, row))).toBeCloseTo(1, 6)
    expect(rowOf(out, dOut, 2)).toEqual(new Float32Array(dOut))
  })

  it('gives a row the same bits alone and among others', async () => {
    const options = { matrix, bias, dIn, dOut, normalize: true }
    const together = await linearTransform(x, options)
    expect(await linearTransform(rowOf(x, dIn, 77), options)).toEqual(rowOf(together, dOut, 77))
  })

  it('refuses lengths that do not fit', async () => {
    const code = 'dimension_mismatch'
    await expect(linearTransform(x.subarray(1), { matrix, dIn, dOut })).rejects.toMatchObject({
      code
    })
    await expect(linearTransform(x, { matrix, dIn, dOut: dOut + 1 })).rejects.toMatchObject({
      code
    })
    await expect(
      linearTransform(x, { matrix, bias: bias.subarray(1), dIn, dOut })
    ).rejects.toMatchObject({ code })
    await expect(
      linearTransform(x, { matrix, bias: new Float32Array(0), dIn, dOut })
    ).rejects.toMatchObject({ code })
  })
})

describe('symmetricEigen', () => {
  const n = 23
  const matrix = new Float64Array(n * n)
  const seed = gaussianVectors(4, n, n)
  for (let i = 0; i < n; i++)
    for (let j = 0; j < n; j++) matrix[i * n + j] = seed[i * n + j]! + seed[j * n + i]!

  it('gives eigenvalues in descending order with matching unit eigenvectors in rows', async () => {
    const before = Float64Array.from(matrix)
    const { values, vectors } = await symmetricEigen(matrix, n)
    expect(matrix).toEqual(before)
    expect(Array.from(values)).toEqual(Array.from(values).sort((a, b) => b - a))
    for (let e = 0; e < n; e++) {
      const vector = vectors.subarray(e * n, (e + 1) * n)
      expect(Math.hypot(...vector)).toBeCloseTo(1, 10)
      expect(Math.max(...vector)).toBe(Math.max(...vector.map(Math.abs)))
      for (let i = 0; i < n; i++) {
        const product = vector.reduce((sum, value, j) => sum + matrix[i * n + j]! * value, 0)
        expect(product).toBeCloseTo(values[e]! * vector[i]!, 8)
      }
    }
  })

  it('refuses a matrix of another size, NaN and infinity', async () => {
    await expect(symmetricEigen(matrix, n - 1)).rejects.toMatchObject({
      code: 'dimension_mismatch'
    })
    await expect(symmetricEigen(Float64Array.of(1, NaN, NaN, 1), 2)).rejects.toMatchObject({
      code: 'invalid_argument'
    })
    await expect(symmetricEigen(Float64Array.of(Infinity), 1)).rejects.toMatchObject({
      code: 'invalid_argument'
    })
    await expect(symmetricEigen(new Float64Array(0), 0)).rejects.toMatchObject({
      code: 'invalid_argument'
    })
  })
})

describe.each(metrics)('trainCentroids over %s', (metric) => {
  const dim = 16
  const points = gaussianVectors(6, 800, dim)

  it('settles where each centroid is the mean of the points nearest to it, the same ones for the same seed', async () => {
    const options = { dim, nlist: 5, metric, seed: 3, iterations: 200 }
    const centroids = await trainCentroids(points, options)
    const index = FaissIndex.create({ kind: 'flat', dim, metric })
    await index.add(centroids)
    const { ids } = await index.search(points, { k: 1 })
    for (let c = 0; c < 5; c++) {
      const mean = new Float64Array(dim)
      ids.forEach(
        (id, row) => id === c && rowOf(points, dim, row).forEach((value, i) => (mean[i]! += value))
      )
      const size = metric === 'ip' ? Math.hypot(...mean) : ids.filter((id) => id === c).length
      expect(size).toBeGreaterThan(0)
      for (let i = 0; i < dim; i++) expect(centroids[c * dim + i]).toBeCloseTo(mean[i]! / size, 4)
    }
    expect(await trainCentroids(points, options)).toEqual(centroids)
    expect(await trainCentroids(points, { ...options, seed: 4 })).not.toEqual(centroids)
  })

  it('takes as many points as centroids and refuses fewer', async () => {
    const few = points.subarray(0, 5 * dim)
    expect(await trainCentroids(few, { dim, nlist: 5, metric })).toHaveLength(5 * dim)
    await expect(trainCentroids(few, { dim, nlist: 6, metric })).rejects.toMatchObject({
      code: 'invalid_argument'
    })
    await expect(trainCentroids(few.subarray(1), { dim, nlist: 2, metric })).rejects.toMatchObject({
      code: 'dimension_mismatch'
    })
    await expect(trainCentroids(few, { dim, nlist: 0, metric })).rejects.toMatchObject({
      code: 'invalid_argument'
    })
  })
})
