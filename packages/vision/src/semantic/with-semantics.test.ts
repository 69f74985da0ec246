import { expect, test } from 'vitest'
import type { DecodedImage } from '../picture/image-decode.ts'
import type { Box } from '../picture/letterbox.ts'
import type { EmbedResult, EmbedRuns } from '../runtime/embed-runs.ts'
import { withSemantics } from './with-semantics.ts'

const image: DecodedImage = { rgb: new Uint8Array(3 * 8 * 6), width: 8, height: 6 }
const maps = [
  { stride: 8, channels: 1, grid: 1 },
  { stride: 16, channels: 1, grid: 1 },
  { stride: 32, channels: 1, grid: 1 },
  { stride: 64, channels: 1, grid: 1 }
]

/** The detector returns [1, 0], [2, 0]...; the embedder returns the left edge of the box. */
function create(kind: 'both' | 'semantic') {
  const asked: Box[][] = []
  const found: EmbedResult = {
    width: 8,
    height: 6,
    whole: Float32Array.of(3, 0),
    extra: [Float32Array.of(2, 0)],
    subjects: [
      { box: [1, 0, 4, 4], score: 0.9, classId: 0, className: 'car', raw: Float32Array.of(1, 0) }
    ]
  }
  const detector: EmbedRuns = {
    embed: async () => found,
    embedBatch: async (images) => images.map(() => found),
    embedWhole: async (_, sizes) => sizes.map((size) => Float32Array.of(size, 0))
  }
  const embedder = {
    async embedBoxes(_: DecodedImage, boxes: readonly Box[]) {
      asked.push([...boxes])
      return boxes.map(([left]) => Float32Array.of(left))
    },
    embedWhole: async ({ width, height }: DecodedImage) =>
      (await embedder.embedBoxes(image, [[0, 0, width, height]]))[0]!,
    close: async () => undefined
  }
  return { runs: withSemantics({ detector, embedder, semantic: { kind }, maps }), asked }
}

test("each raw vector is the detector's, then the embedder's of the same box, weighed as all maps together", async () => {
  const { runs } = create('both')
  const { subjects, whole, extra } = await runs.embed(image, { extraBoxes: [[5, 0, 8, 6]] })
  expect([...subjects.map(({ raw }) => raw), whole, ...extra].map((raw) => [...raw])).toEqual([
    [1, 0, 2],
    [3, 0, 0],
    [2, 0, 10]
  ])
})

test("of the kind semantic it is the embedder's alone", async () => {
  const { runs } = create('semantic')
  const { subjects, whole } = await runs.embed(image)
  expect([[...subjects[0]!.raw], [...whole]]).toEqual([[1], [0]])
})

test('the whole picture is seen once for all view sizes', async () => {
  const { runs, asked } = create('both')
  expect((await runs.embedWhole(image, [224])).map((raw) => [...raw])).toEqual([[224, 0, 0]])
  await runs.embedWhole(image, [128])
  await runs.embed(image, { extraBoxes: [[5, 0, 8, 6]] })
  expect(asked.filter((boxes) => boxes[0]?.[2] === image.width)).toHaveLength(1)
})
