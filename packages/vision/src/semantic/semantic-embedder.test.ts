import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { noisePicture } from '../fixture/pictures.ts'
import {
  buildTinyEmbedder,
  tinyEmbedderDim,
  type TinyEmbedderOptions
} from '../fixture/tiny-embedder.ts'
import { cropsInto } from './crop-tensor.ts'
import { openSemanticEmbedder, trySemantic } from './semantic-embedder.ts'
import { describeSemantic } from './semantic-model.ts'

const dir = temporaryFolder('semantic')

async function describeTiny(options: TinyEmbedderOptions = {}) {
  const bytes = buildTinyEmbedder(options)
  const file = `${Object.keys(options).join('-') || 'plain'}.onnx`
  await writeFile(path.join(dir, file), bytes)
  return {
    path: path.join(dir, file),
    semantic: describeSemantic({ bytes, file, kind: 'both', normalisation: 'imagenet' }),
    executionProviders: ['cpu'],
    threads: 1
  }
}

test('what the file takes and gives is read from it and tried', async () => {
  const tried = await trySemantic(await describeTiny())
  expect(tried).toMatchObject({
    file: 'plain.onnx',
    inputName: 'pixels',
    outputName: 'seen',
    size: { width: 32, height: 32 },
    batch: 'any',
    dim: tinyEmbedderDim
  })
  expect(await trySemantic(await describeTiny({ fixed: true }))).toMatchObject({
    batch: 'one',
    dim: tinyEmbedderDim
  })
})

test('boxes give unit vectors, the same alone, together, from a map and from a fixed batch', async () => {
  const picture = noisePicture(90, 70, 4)
  const boxes = [
    [0, 0, 40, 40],
    [30.5, 20.2, 90, 70]
  ] as const
  const seen = await Promise.all(
    [{}, { fixed: true }, { map: true }].map(async (options) => {
      const embedder = await openSemanticEmbedder(await describeTiny(options))
      const vectors = await embedder.embedBoxes(picture, boxes)
      await embedder.close()
      return vectors
    })
  )
  expect(seen[0]!.map((vector) => Math.hypot(...vector))).toEqual([
    expect.closeTo(1, 5),
    expect.closeTo(1, 5)
  ])
  expect(Math.hypot(...seen[0]![0]!.map((value, i) => value - seen[0]![1]![i]!))).toBeGreaterThan(
    0.05
  )
  for (const other of seen.slice(1))
    other.forEach((vector, i) =>
      vector.forEach((value, j) => expect(value).toBeCloseTo(seen[0]![i]![j]!, 4))
    )
})

test('what shows it nothing gives nothing, not an error', async () => {
  const given = await describeTiny()
  const embedder = await openSemanticEmbedder({
    ...given,
    semantic: { ...given.semantic, normalisation: 'unit' }
  })
  expect(
    await embedder.embedBoxes({ rgb: new Uint8Array(300), width: 10, height: 10 }, [[0, 0, 10, 10]])
  ).toEqual([new Float32Array(tinyEmbedderDim)])
  await embedder.close()
})

test('no box is no run', async () => {
  const embedder = await openSemanticEmbedder(await describeTiny())
  expect(await embedder.embedBoxes(noisePicture(20, 20, 1), [])).toEqual([])
  await embedder.close()
})

test('a crop is stretched to the input and normalised channel by channel', () => {
  const rgb = new Uint8Array(3 * 4 * 2)
  // Left half black, right half (255, 0, 51).
  for (const at of [2, 3, 6, 7]) rgb.set([255, 0, 51], 3 * at)
  const image = { rgb, width: 4, height: 2 }
  const values = new Float32Array(2 * 3 * 4)
  cropsInto(
    values,
    image,
    [
      [2, 0, 4, 2],
      [0, 0, 2, 1]
    ],
    { width: 2, height: 2, normalisation: 'half' }
  )
  const channelsOf = (crop: number) =>
    [0, 1, 2].map((channel) =>
      [...values.subarray(4 * (3 * crop + channel), 4 * (3 * crop + channel + 1))].map((value) =>
        Number(value.toFixed(3))
      )
    )
  expect(channelsOf(0)).toEqual([
    [1, 1, 1, 1],
    [-1, -1, -1, -1],
    [-0.6, -0.6, -0.6, -0.6]
  ])
  expect(channelsOf(1)).toEqual(new Array(3).fill([-1, -1, -1, -1]))
})

test('what is no embedder is refused by name', async () => {
  const describe = (bytes: Uint8Array) => () =>
    describeSemantic({ bytes, file: 'x.onnx', kind: 'both', normalisation: 'unit' })
  expect(describe(new TextEncoder().encode('nothing'))).toThrow(/x.onnx is not an ONNX model/)
  expect(describe(buildTinyEmbedder({ channels: 1 }))).toThrow(
    'takes one float input [batch, 3, height, width]; this one takes pixels [?, 1, 32, 32]'
  )
  const given = await describeTiny()
  await expect(
    trySemantic({ ...given, semantic: { ...given.semantic, outputName: 'absent' } })
  ).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('plain.onnx cannot be used as an embedder') as string
  })
})
