import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { decodeImage } from '../picture/image-decode.ts'
import { cosine } from '../runtime/cosine.ts'
import { createEmbedder } from './embedder.ts'
import { prepareModel } from './model-prepare.ts'
import { applyProfile, embeddingVersion, loadProfile } from './profile.ts'

const modelDir = path.resolve(import.meta.dirname, '../../../../models/likeness-nano')

interface Parity {
  /** Of each map: the first eight numbers of each box. */
  raw_first8: number[][][]
  /** In stored form. */
  vectors: number[][]
}

test('the built-in model gives the reference vectors of every box and of the whole picture', async () => {
  const [model, picture, parity] = await Promise.all([
    prepareModel({ modelDir, cacheDir: temporaryFolder('reference') }),
    readFile(path.join(modelDir, 'parity.png')).then((bytes) => decodeImage(bytes)),
    readFile(path.join(modelDir, 'parity.json'), 'utf8').then((text) => JSON.parse(text) as Parity)
  ])
  const embedder = await createEmbedder({ model, executionProviders: ['cpu'], threads: 1 })
  const { subjects, whole } = await embedder.embed(picture).finally(() => embedder.close())
  const profile = await loadProfile(modelDir)
  const rawVectors = [...subjects.map((s) => s.raw), whole]
  const vectors = await applyProfile(
    Float32Array.from(rawVectors.flatMap((raw) => [...raw])),
    profile
  )
  const { dOut, parts } = profile
  expect(vectors.length).toBe(parity.vectors.length * dOut)
  parity.vectors.forEach((wanted, i) => {
    const vector = vectors.subarray(i * dOut, (i + 1) * dOut)
    expect(Math.hypot(...vector)).toBeCloseTo(1, 5)
    let start = 0
    for (const { dim } of parts) {
      const [own, told] = [vector.subarray(start, start + dim), wanted.slice(start, start + dim)]
      expect(cosine(own, told)).toBeGreaterThan(0.9995)
      expect(Math.hypot(...own)).toBeCloseTo(1 / Math.sqrt(parts.length), 5)
      start += dim
    }
    let first = 0
    for (const [map, { channels, grid, weight = 1 }] of model.manifest.maps.entries()) {
      // The smallest values are all epsilon, so they show the pooling to the last digit.
      rawVectors[i]!.subarray(first, first + 8).forEach((value, j) => {
        const told = parity.raw_first8[map]![i]![j]!
        expect(Math.abs(value - told)).toBeLessThan(Math.abs(told) < 5e-5 ? 1e-5 : 1e-3 * weight)
      })
      first += channels * grid ** 2
    }
  })
  const { name, version } = model.manifest
  expect(embeddingVersion(model.manifest, profile)).toBe(`${name}@${version}/general@1`)
})
