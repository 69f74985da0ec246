import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { writeTinyModel } from '../fixture/tiny-model.ts'
import { createEmbedder, type Embedder } from '../model/embedder.ts'
import { prepareModel } from '../model/model-prepare.ts'
import type { EmbedResult } from '../runtime/embed-runs.ts'
import { matchResults, verifyModel } from './verify-model.ts'

let dir: string
let embedder: Embedder
beforeAll(async () => {
  dir = temporaryFolder('verify')
  await writeTinyModel(dir)
  embedder = await createEmbedder({
    model: await prepareModel({ modelDir: dir, cacheDir: dir }),
    executionProviders: ['cpu'],
    threads: 1
  })
})
afterAll(async () => {
  await embedder.close()
})

const verify = (changed: Partial<Embedder>) =>
  verifyModel({ embedder: { ...embedder, ...changed }, sourcePath: path.join(dir, 'tiny.onnx') })
const withResult =
  (change: (result: EmbedResult) => void): Embedder['embed'] =>
  async (image, options) => {
    const result = await embedder.embed(image, options)
    change(result)
    return result
  }

it('accepts what agrees, and refuses a vector or boxes that do not', async () => {
  expect(await verify({})).toMatchObject({ batch: 'any' })
  await expect(
    verify({ embed: withResult(({ whole }) => void (whole[0]! += 0.5)) })
  ).rejects.toThrow(/^unsupported layout: a vector of the graph has cosine 0\.\d+/)
  await expect(
    verify({
      embed: withResult(({ subjects }) => subjects.forEach(({ box }) => void (box[0] += 1)))
    })
  ).rejects.toThrow(/0 of \d+ boxes of the graph are those of the oracle/)
})

it('lets a picture run alone where others beside it change its vector or its boxes, or stop the run', async () => {
  const together =
    (change: (result: EmbedResult) => void): Embedder['embedBatch'] =>
    async (images, options) => {
      const results = await embedder.embedBatch(images, options)
      change(results[1]!)
      return results
    }
  expect(
    await verify({ embedBatch: together(({ whole }) => void (whole[0]! += 0.5)) })
  ).toMatchObject({ batch: 'one', batchReason: expect.stringContaining('cosine') as string })
  expect(
    await verify({ embedBatch: together(({ subjects }) => void subjects.splice(0, 5)) })
  ).toMatchObject({ batch: 'one', batchReason: expect.stringContaining('boxes') as string })
  expect(await verify({ embedBatch: () => Promise.reject(new Error('no such batch')) })).toEqual(
    expect.objectContaining({ batch: 'one', batchReason: 'no such batch' })
  )
})

it('compares a box that was cut at the edge with the one whose vector it has, of those that look the same so', () => {
  const found = (left: number, ...raw: number[]) => ({
    box: [left, -20, 60, 90] as [number, number, number, number],
    score: 0.006,
    classId: 0,
    raw: Float32Array.from(raw)
  })
  const seen = (...raw: number[]): EmbedResult => ({
    width: 80,
    height: 80,
    subjects: [
      { box: [0, 0, 60, 80], score: 0.006, classId: 0, className: 'x', raw: Float32Array.from(raw) }
    ],
    whole: Float32Array.of(1),
    extra: []
  })
  const wanted = { found: [found(-90, 1, 0), found(-10, 0, 1)], extra: [Float32Array.of(1)] }
  const isCanvas = (box: readonly number[]) => [...box]
  const match = (raw: number[], from = wanted) => matchResults(seen(...raw), from, isCanvas)
  // A single match for two boxes.
  expect(() => match([0, 1])).toThrow('1 of 2 boxes')
  expect(match([0, 1], { ...wanted, found: wanted.found.slice(1) })).toEqual({
    boxes: 1,
    cosine: 1
  })
  expect(
    matchResults(
      { ...seen(0, 1), subjects: [...seen(0, 1).subjects, ...seen(1, 0).subjects] },
      wanted,
      isCanvas
    )
  ).toEqual({ boxes: 2, cosine: 1 })
  expect(() => match([0.5, -0.5], { ...wanted, found: wanted.found.slice(1) })).toThrow(
    'a vector of the graph has cosine'
  )
})
