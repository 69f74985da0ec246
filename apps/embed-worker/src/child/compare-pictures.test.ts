import { expect, test } from 'vitest'
import { wholeProjection } from '@likeness/shared/contract/projection'
import type {
  DecodedImage,
  EmbedOptions,
  EmbedResult,
  ModelManifest,
  Profile
} from '@likeness/vision'
import { createPriorityMutex } from '../priority-mutex.ts'
import { createPictureComparer } from './compare-pictures.ts'

const channels = 9
const embedding = { version: 'test@1/own@1', dim: 81, unit: true }
/** Profile that returns a raw vector unchanged. */
const profile: Profile = {
  name: 'own',
  version: 1,
  ...wholeProjection({
    dIn: 81,
    dOut: 81,
    matrix: Float32Array.from({ length: 81 * 81 }, (_, at) => Number(at % 82 === 0)),
    bias: new Float32Array(81)
  })
}
/** Cell i shows only channel (i + turned) % 9. */
const rawOf = (turned: number) =>
  Float32Array.from({ length: 81 }, (_, at) =>
    Number(Math.floor(at / 9) === ((at % 9) + turned) % channels)
  )

const maps = [{ stride: 8, channels, grid: 3 }]

function createFake(manifest: ModelManifest = { name: 'test', maps } as ModelManifest) {
  const runs: { image: DecodedImage; options: EmbedOptions | undefined }[] = []
  const wanted: string[] = []
  const compare = createPictureComparer({
    embedder: {
      manifest,
      async embed(image, options): Promise<EmbedResult> {
        runs.push({ image, options })
        return {
          width: image.width,
          height: image.height,
          subjects: [],
          whole: rawOf(0),
          extra: [rawOf(image.width === 40 ? 0 : 3)]
        }
      }
    },
    profileOf: async ({ version }) => {
      wanted.push(version)
      return profile
    },
    gate: createPriorityMutex({ turn: async () => undefined })
  })
  return { compare, runs, wanted }
}
const [query, item] = [
  { width: 40, height: 30 },
  { width: 90, height: 60 }
] as [DecodedImage, DecodedImage]
const task = { kind: 'compare' as const, bytes: new Uint8Array(), imageKey: 'k', embedding }
const context = { priority: 'interactive' as const, checkCancelled: () => undefined }

test('each box is embedded once, cut to its picture, and cells that show the same match', async () => {
  const { compare, runs, wanted } = createFake()
  const made = await compare(query, item, { ...task, box: [-5, 3, 25, 33] }, context)
  expect(runs).toEqual([
    { image: query, options: { extraBoxes: [[0, 3, 25, 30]], confidence: 2 } },
    { image: item, options: { extraBoxes: [[0, 0, 90, 60]], confidence: 2 } }
  ])
  expect(wanted).toEqual([embedding.version])
  expect(made).toMatchObject({
    grid: 3,
    query: { width: 40, height: 30, box: [0, 3, 25, 30] },
    item: { width: 90, height: 60, box: [0, 0, 90, 60] }
  })
  // The first row of the item is the second row of the query.
  expect(made.strengths.map((row) => row.length)).toEqual([9, 9, 9, 9, 9, 9, 9, 9, 9])
  expect(made.matches.map(({ query: from, item: to }) => [from, to])).toEqual(
    expect.arrayContaining([
      [3, 0],
      [4, 1],
      [5, 2],
      [6, 3],
      [7, 4],
      [8, 5]
    ])
  )
})

test('a box outside of its picture is refused, on either side', async () => {
  const { compare } = createFake()
  await expect(
    compare(query, item, { ...task, box: [50, 0, 60, 9] }, context)
  ).rejects.toMatchObject({ code: 'invalid_request' })
  await expect(
    compare(query, item, { ...task, imageBox: [0, 61, 9, 70] }, context)
  ).rejects.toMatchObject({ code: 'invalid_request' })
})

test('vectors of an ordinary embedder alone have no parts, which is said before anything is run', async () => {
  const { compare, runs } = createFake({
    name: 'kinds',
    maps,
    semantic: { kind: 'semantic' }
  } as ModelManifest)
  await expect(compare(query, item, task, context)).rejects.toMatchObject({
    code: 'embedding_mismatch'
  })
  expect(runs).toEqual([])
})

test('each inference passes the gate by itself', async () => {
  const { compare } = createFake()
  let checks = 0
  await compare(query, item, task, { ...context, checkCancelled: () => void checks++ })
  expect(checks).toBe(2)
})
