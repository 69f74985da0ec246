import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { createEmbedder } from '../embedder.ts'
import type { Embedder, EmbedResult } from '../embedder.ts'
import { writeTinyModel } from '../fixture/tiny-model.ts'
import { prepareModel } from '../model-prepare.ts'
import { verifyModel } from './verify-model.ts'

let dir: string
let embedder: Embedder
beforeAll(async () => {
  dir = await mkdtemp(path.join(tmpdir(), 'likeness-verify-'))
  await writeTinyModel(dir)
  embedder = await createEmbedder({ model: await prepareModel({ modelDir: dir, cacheDir: dir }), executionProviders: ['cpu'], threads: 1 })
})
afterAll(async () => {
  await embedder.close()
  await rm(dir, { recursive: true })
})

const verify = (changed: Partial<Embedder>) => verifyModel({ embedder: { ...embedder, ...changed }, sourcePath: path.join(dir, 'tiny.onnx') })
const withResult = (change: (result: EmbedResult) => void): Embedder['embed'] => async (image, options) => {
  const result = await embedder.embed(image, options)
  change(result)
  return result
}

it('accepts what agrees, and refuses a vector or boxes that do not', async () => {
  expect(await verify({})).toMatchObject({ batch: 'any' })
  await expect(verify({ embed: withResult(({ whole }) => void (whole[0]! += 0.5)) })).rejects.toThrow(/^unsupported layout: a vector of the graph has cosine 0\.\d+/)
  await expect(verify({ embed: withResult(({ subjects }) => subjects.forEach(({ box }) => void (box[0] += 1))) })).rejects.toThrow(/0 of \d+ boxes of the graph are those of the oracle/)
})

it('lets a picture run alone where others beside it change its vector or its boxes, or stop the run', async () => {
  const together = (change: (result: EmbedResult) => void): Embedder['embedBatch'] => async (images, options) => {
    const results = await embedder.embedBatch(images, options)
    change(results[1]!)
    return results
  }
  expect(await verify({ embedBatch: together(({ whole }) => void (whole[0]! += 0.5)) })).toMatchObject({ batch: 'one', batchReason: expect.stringContaining('cosine') as string })
  expect(await verify({ embedBatch: together(({ subjects }) => void subjects.splice(0, 5)) })).toMatchObject({ batch: 'one', batchReason: expect.stringContaining('boxes') as string })
  expect(await verify({ embedBatch: () => Promise.reject(new Error('no such batch')) })).toEqual(expect.objectContaining({ batch: 'one', batchReason: 'no such batch' }))
})
