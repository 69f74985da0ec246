import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, it } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { noisePicture } from '../fixture/pictures.ts'
import { buildTinyModel } from '../fixture/tiny-graph.ts'
import { createEmbedder } from '../model/embedder.ts'
import { prepareModel } from '../model/model-prepare.ts'
import { cosine } from '../runtime/cosine.ts'
import type { EmbedResult } from '../runtime/embed-runs.ts'
import { decodeDetector } from './decode-detector.ts'
import { decodeModel, encodeModel } from './onnx-proto.ts'

const metadata = [
  { key: 'names', value: "{0: 'bright', 1: 'dark'}" },
  { key: 'imgsz', value: '[64, 64]' }
]

it('an export that gives vectors already is the detector that it was made of, if it says where that ends', async () => {
  const dir = temporaryFolder('strip')
  const onnxPath = path.join(dir, 'plain.onnx')
  await writeFile(onnxPath, encodeModel({ ...buildTinyModel({}), metadataProps: metadata }))
  const plain = await prepareModel({ onnxPath, cacheDir: dir })
  const withVectors = path.join(dir, 'embed.onnx')
  const model = decodeModel(await readFile(plain.path))
  await writeFile(
    withVectors,
    encodeModel({
      ...model,
      metadataProps: [...metadata, { key: 'likeness_detections', value: 'output0' }]
    })
  )
  const stripped = decodeDetector(await readFile(withVectors))
  expect(
    [stripped.graph.input, stripped.graph.output].map((all) => all.map(({ name }) => name))
  ).toEqual([['images'], ['output0']])
  const results: EmbedResult[] = []
  for (const file of [onnxPath, withVectors]) {
    const embedder = await createEmbedder({
      model: await prepareModel({ onnxPath: file, cacheDir: dir }),
      executionProviders: ['cpu'],
      threads: 1
    })
    results.push(await embedder.embed(noisePicture(64, 64, 3)))
    await embedder.close()
  }
  expect(results[1]!.subjects.map(({ box }) => box)).toEqual(
    results[0]!.subjects.map(({ box }) => box)
  )
  expect(cosine(results[1]!.whole, results[0]!.whole)).toBeGreaterThan(0.999999)
  await writeFile(withVectors, encodeModel({ ...model, metadataProps: metadata }))
  await expect(prepareModel({ onnxPath: withVectors, cacheDir: dir })).rejects.toThrow(
    'one float input'
  )
})
