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
import { decodeGraph } from '../onnx/onnx-proto.ts'
import { cropsInto, seenOfWhole, toTensor } from './crop-tensor.ts'
import { readEmbedderGraph } from './embedder-graph.ts'
import { openSemanticEmbedder } from './semantic-embedder.ts'
import type { PixelForm } from './semantic-model.ts'
import { trySemantic } from './try-semantic.ts'

const dir = temporaryFolder('semantic')

async function describeTiny(options: TinyEmbedderOptions = {}) {
  const bytes = buildTinyEmbedder(options)
  const file = `${Object.keys(options).join('-') || 'plain'}.onnx`
  await writeFile(path.join(dir, file), bytes)
  const { inputName, size, batch, outputName } = readEmbedderGraph(decodeGraph(bytes).graph, {
    file
  })
  const read = { inputName, size, batch, outputName }
  return {
    path: path.join(dir, file),
    semantic: { ...read, file, sha256: '', kind: 'both', normalisation: 'imagenet' } as const,
    executionProviders: ['cpu'],
    threads: 1
  }
}

test('what the file takes and gives is read from it and tried', async () => {
  expect((await trySemantic(await describeTiny())).semantic).toMatchObject({
    file: 'plain.onnx',
    inputName: 'pixels',
    outputName: 'seen',
    size: { width: 32, height: 32 },
    batch: 'any',
    dim: tinyEmbedderDim
  })
  expect((await trySemantic(await describeTiny({ fixed: true }))).semantic).toMatchObject({
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

test('more boxes than a run takes come back in their order', async () => {
  const embedder = await openSemanticEmbedder(await describeTiny())
  const picture = noisePicture(90, 70, 4)
  const boxes = Array.from({ length: 70 }, (_, i) => [i % 40, i % 30, (i % 40) + 20, 60] as const)
  const together = await embedder.embedBoxes(picture, boxes)
  expect(together).toHaveLength(70)
  for (const i of [0, 31, 32, 69])
    (await embedder.embedBoxes(picture, [boxes[i]!]))[0]!.forEach((value, j) =>
      expect(together[i]![j]).toBeCloseTo(value, 4)
    )
  await embedder.close()
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

/** Left half black, right half (255, 0, 51). */
function halves() {
  const rgb = new Uint8Array(3 * 4 * 2)
  for (const at of [2, 3, 6, 7]) rgb.set([255, 0, 51], 3 * at)
  return { rgb, width: 4, height: 2 }
}
const size = { width: 2, height: 2 }

test('a crop is stretched to the input and normalised channel by channel', () => {
  const values = new Float32Array(2 * 3 * 4)
  const boxes = [
    [2, 0, 4, 2],
    [0, 0, 2, 1]
  ] as const
  cropsInto(values, halves(), boxes, { size, normalisation: 'half' })
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

test('a tensor has the type, the order of colours and the place of colours of the graph', () => {
  const seen = (pixels: PixelForm) => {
    const values = new Float32Array(3 * 4)
    cropsInto(values, halves(), [[0, 0, 4, 2]], { size, normalisation: 'bytes', pixels })
    const { type, dims, data } = toTensor(values, { size, pixels })
    return { type, dims, data: [...(data as Uint8Array)] }
  }
  expect(seen({ type: 'uint8', channelsLast: true, order: 'RGB' })).toEqual({
    type: 'uint8',
    dims: [1, 2, 2, 3],
    data: [0, 0, 0, 255, 0, 51, 0, 0, 0, 255, 0, 51]
  })
  expect(seen({ type: 'uint8', channelsLast: false, order: 'BGR' })).toEqual({
    type: 'uint8',
    dims: [1, 3, 2, 2],
    data: [0, 51, 0, 51, 0, 0, 0, 0, 0, 255, 0, 255]
  })
  // 255 as a half is 0x5bf8.
  expect(seen({ type: 'float16', channelsLast: false, order: 'RGB' }).data.slice(0, 4)).toEqual([
    0, 0x5bf8, 0, 0x5bf8
  ])
})

test('of a whole picture all is seen, or the middle that training saw', () => {
  const picture = { width: 200, height: 100 }
  const square = { width: 224, height: 224 }
  expect(seenOfWhole(picture, { size: square })).toEqual([0, 0, 200, 100])
  expect(seenOfWhole(picture, { size: square, shortestEdge: 224 })).toEqual([50, 0, 150, 100])
  expect(seenOfWhole(picture, { size: square, shortestEdge: 256 })).toEqual([56, 6, 144, 94])
})

test('what is no embedder is refused by name', async () => {
  const read = (bytes: Uint8Array) => () =>
    readEmbedderGraph(decodeGraph(bytes).graph, { file: 'x.onnx' })
  expect(read(buildTinyEmbedder({ channels: 1 }))).toThrow(
    'x.onnx: an embedder takes a picture [batch, 3, height, width] or [batch, height, width, 3]; this one takes pixels [?, 1, 32, 32]'
  )
  const given = await describeTiny()
  await expect(
    trySemantic({ ...given, semantic: { ...given.semantic, outputName: 'absent' } })
  ).rejects.toMatchObject({
    code: 'invalid_request',
    message: expect.stringContaining('plain.onnx cannot be used as an embedder') as string
  })
})
