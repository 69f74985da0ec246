import { existsSync, readdirSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { wholeProjection } from '@likeness/shared/contract/projection'
import { seededNormals } from '../fixture/seeded-normals.ts'
import { createEmbedder, type Embedder } from '../model/embedder.ts'
import { prepareModel } from '../model/model-prepare.ts'
import { loadProfile } from '../model/profile.ts'
import { type DecodedImage, decodeImage } from '../picture/image-decode.ts'
import { cellCount, cellStarts } from './cells.ts'
import { type CellMatches, matchCells, type MatchCellsOptions } from './match-cells.ts'

const channels = 40
const starts = Array.from({ length: channels }, (_, channel) => channel * cellCount)
const matrices = {
  matrix: seededNormals(64 * channels * cellCount, 3),
  bias: new Float32Array(64),
  dIn: channels * cellCount,
  dOut: 64
}
const profile = wholeProjection(matrices)

/** Returns a raw vector whose cell `i` is descriptor `numbers[i]`. All cells have a common part. */
function rawOf(numbers: readonly number[]): Float32Array {
  const common = seededNormals(channels, 99)
  const cells = numbers.map((number) =>
    seededNormals(channels, number).map((value, c) => value + 0.5 * common[c]!)
  )
  return Float32Array.from(
    { length: channels * cellCount },
    (_, at) => cells[at % cellCount]![Math.floor(at / cellCount)]!
  )
}
const pairsOf = ({ matches }: CellMatches): [number, number][] =>
  matches.map(({ query, item }): [number, number] => [query, item]).sort(([a], [b]) => a - b)
const range = (from: number): number[] => Array.from({ length: cellCount }, (_, i) => from + i)

test('the cells of one and the same box match each in its place', async () => {
  const same = await matchCells(rawOf(range(1)), rawOf(range(1)), { profile, starts })
  expect(pairsOf(same)).toEqual(range(0).map((cell) => [cell, cell]))
  expect(same.matches).toContainEqual({ query: 4, item: 4, strength: 1 })
})

test('what lies a column further in the other box matches a column further, and what only one of them shows matches nothing', async () => {
  const moved = await matchCells(
    rawOf([1, 2, 3, 4, 5, 6, 7, 8, 9]),
    rawOf([51, 1, 2, 54, 4, 5, 57, 7, 8]),
    { profile, starts }
  )
  expect(pairsOf(moved)).toEqual([
    [0, 1],
    [1, 2],
    [3, 4],
    [4, 5],
    [6, 7],
    [7, 8]
  ])
})

test('which box is the query makes no difference', async () => {
  const [a, b] = [rawOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), rawOf([1, 2, 3, 54, 55, 6, 57, 58, 9])]
  const [there, back] = [
    await matchCells(a, b, { profile, starts }),
    await matchCells(b, a, { profile, starts })
  ]
  expect(pairsOf(there).length).toBeGreaterThan(2)
  expect(
    pairsOf(back)
      .map(([query, item]) => [item, query])
      .sort(([x], [y]) => x! - y!)
  ).toEqual(pairsOf(there))
})

test('boxes with nothing in common but what all have do not match', async () => {
  expect(
    (await matchCells(rawOf(range(1)), rawOf(range(51)), { profile, starts })).matches
  ).toEqual([])
})

test('what an ordinary embedder adds behind the maps is no part of any cell', async () => {
  const longer = (raw: Float32Array, more: number) =>
    Float32Array.from([...raw, ...seededNormals(20, more)])
  const wider = {
    ...matrices,
    dIn: profile.dIn + 20,
    matrix: Float32Array.from(
      Array.from({ length: profile.dOut }, (_, row) => [
        ...matrices.matrix.subarray(row * profile.dIn, (row + 1) * profile.dIn),
        ...seededNormals(20, row)
      ]).flat()
    )
  }
  const [a, b] = [rawOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), rawOf([51, 1, 2, 54, 4, 5, 57, 7, 8])]
  expect(
    await matchCells(longer(a, 1), longer(b, 2), { profile: wholeProjection(wider), starts })
  ).toEqual(await matchCells(a, b, { profile, starts }))
})

test('a map that is pooled over the whole box is no part of any cell, wherever it lies', async () => {
  const behind = 15 * cellCount
  const spread = (raw: Float32Array, whole: number) =>
    Float32Array.from([
      ...raw.subarray(0, behind),
      ...seededNormals(7, whole),
      ...raw.subarray(behind)
    ])
  const rows = Array.from({ length: profile.dOut }, (_, row) => [
    ...spread(matrices.matrix.subarray(row * profile.dIn, (row + 1) * profile.dIn), row)
  ])
  const wider = { ...matrices, dIn: profile.dIn + 7, matrix: Float32Array.from(rows.flat()) }
  const maps = [
    { stride: 8, channels: 15, grid: 3 },
    { stride: 32, channels: 7, grid: 1 },
    { stride: 16, channels: 25, grid: 3 }
  ]
  const [a, b] = [rawOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), rawOf([51, 1, 2, 54, 4, 5, 57, 7, 8])]
  expect(
    await matchCells(spread(a, 1), spread(b, 2), {
      profile: wholeProjection(wider),
      starts: cellStarts({ maps })
    })
  ).toEqual(await matchCells(a, b, { profile, starts }))
  expect(cellStarts({ maps: maps.slice(1, 2) })).toEqual([])
})

test('the cells of single things are compared by their own part of a profile, and kinds have none', async () => {
  const maps = [
    { stride: 16, channels, grid: 3 },
    { stride: 32, channels: 7, grid: 3, part: 'kind' as const }
  ]
  const [instance] = profile.parts
  const [from, to] = [instance!.to, instance!.to + 63]
  const kind = {
    ...instance!,
    name: 'kind',
    from,
    to,
    dim: 5,
    matrix: seededNormals(5 * 63, 8),
    bias: new Float32Array(5)
  }
  const wider = { dIn: to, dOut: profile.dOut + 5, parts: [...profile.parts, kind] }
  const longer = (raw: Float32Array, seed: number) =>
    Float32Array.from([...raw, ...seededNormals(63, seed)])
  const [a, b] = [rawOf([1, 2, 3, 4, 5, 6, 7, 8, 9]), rawOf([51, 1, 2, 54, 4, 5, 57, 7, 8])]
  expect(cellStarts({ maps })).toEqual(starts)
  expect(await matchCells(longer(a, 1), longer(b, 2), { profile: wider, starts })).toEqual(
    await matchCells(a, b, { profile, starts })
  )
  await expect(
    matchCells(longer(a, 1), longer(b, 2), { profile: { ...wider, parts: [kind] }, starts })
  ).rejects.toMatchObject({ code: 'embedding_mismatch' })
})

test('a box without any contrast matches without NaN', async () => {
  const { strengths } = await matchCells(new Float32Array(channels * cellCount), rawOf(range(1)), {
    profile,
    starts
  })
  expect([...strengths].every((value) => value === 0)).toBe(true)
})

const pictures = path.resolve(
  import.meta.dirname,
  '../../../../../shared/data/coco/images/train2017'
)
const whyNot = existsSync(pictures) ? '' : ' (NOT RUN: no photographs in ../shared)'
describe.skipIf(whyNot !== '')(`on photographs, with the built-in model${whyNot}`, () => {
  let cacheDir: string
  let embedder: Embedder
  let options: MatchCellsOptions
  beforeAll(async () => {
    cacheDir = temporaryFolder('cells')
    const modelDir = path.resolve(import.meta.dirname, '../../../../models/likeness-nano')
    embedder = await createEmbedder({
      model: await prepareModel({ modelDir, cacheDir }),
      executionProviders: ['cpu'],
      threads: 1
    })
    options = { profile: await loadProfile(modelDir), starts: cellStarts(embedder.manifest) }
  })
  afterAll(async () => {
    await embedder.close()
  })

  /**
   * Raw vectors of the middle of the picture, and of the same area moved one cell to the right and
   * down.
   */
  async function twoBoxes({
    width,
    height,
    ...image
  }: DecodedImage): Promise<[Float32Array, Float32Array]> {
    const box = (right: number, down: number) =>
      [
        width * (0.2 + right),
        height * (0.2 + down),
        width * (0.65 + right),
        height * (0.65 + down)
      ] as const
    const { extra } = await embedder.embed(
      { width, height, ...image },
      { extraBoxes: [box(0, 0), box(0.15, 0.15)] }
    )
    return [extra[0]!, extra[1]!]
  }

  test('a box that was moved by a cell matches a cell further, and boxes of different pictures hardly at all', async () => {
    const files = readdirSync(pictures).slice(0, 24)
    const boxes = await Promise.all(
      files.map(async (file) =>
        twoBoxes(await decodeImage(await readFile(path.join(pictures, file))))
      )
    )
    let [right, wrong, unrelated] = [0, 0, 0]
    for (const [i, [box, moved]] of boxes.entries()) {
      for (const [query, item] of pairsOf(await matchCells(box, moved, options)))
        item === query - 4 ? right++ : wrong++
      unrelated += (await matchCells(box, boxes[(i + 7) % boxes.length]![0], options)).matches
        .length
    }
    console.log(
      `${right} matches of ${4 * boxes.length} right, ${wrong} wrong; ${unrelated} between different pictures`
    )
    expect(right / (4 * boxes.length)).toBeGreaterThan(0.8)
    expect(wrong / (right + wrong)).toBeLessThan(0.2)
    expect(unrelated / boxes.length).toBeLessThan(1.5)
  })
})
