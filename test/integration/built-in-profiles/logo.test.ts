// Tests the logo profile with the real built-in model, and compares it with the general profile.
// The marks are rendered, turned, covered and transparent.
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import {
  type BuiltInProfile,
  type Enrolment,
  enrolmentSchema,
  type Look,
  lookSchema,
  presets
} from '@likeness/shared/contract/picture-settings'
import {
  applyProfile,
  createEmbedder,
  decodeImage,
  type Embedder,
  loadProfile,
  prepareModel
} from '@likeness/vision'
import {
  createPictureEmbedder,
  type PictureEmbedder
} from '../../../apps/embed-worker/src/child/embed-picture.ts'
import { createPriorityMutex } from '../../../apps/embed-worker/src/priority-mutex.ts'
import {
  chooseBrandMarks,
  listedMarks,
  markSvg
} from '../../../packages/drawing/src/brand-marks.ts'
import { drawScene } from '../../../packages/drawing/src/draw-scene.ts'
import { createRandom, shuffled } from '../../../packages/drawing/src/seeded-random.ts'
import { temporaryFolder } from '../../support/temporary-folder.ts'

const modelDir = new URL('../../../models/likeness-nano', import.meta.url).pathname
const embedding = { version: 'built-in', dim: 512, unit: true }
const context = { priority: 'bulk' as const, checkCancelled: () => undefined }
const markCount = 45
const kinds = ['upright', 'turned', 'covered'] as const
type Kind = (typeof kinds)[number]

interface Settings {
  enrolment: Enrolment
  look: Look
}
interface Row {
  name: string
  vector: Float32Array
}
const settingsOf = (profile: BuiltInProfile): Settings => ({
  enrolment: enrolmentSchema.parse({ subjects: false, ...presets[profile] }),
  look: lookSchema.parse(presets[profile])
})
const rowsOf = (vectors: Float32Array): Float32Array[] =>
  Array.from({ length: vectors.length / embedding.dim }, (_, i) =>
    vectors.subarray(i * embedding.dim, (i + 1) * embedding.dim)
  )
const dot = (a: Float32Array, b: Float32Array): number =>
  a.reduce((sum, value, i) => sum + value * b[i]!, 0)

let dir: string
let embedder: Embedder
let pictures: PictureEmbedder
let marks: { name: string; png: Buffer }[]
let scenes: { name: string; kind: Kind; jpeg: Buffer }[]

beforeAll(async () => {
  // SVGs are drawn first, because they cannot be opened after the decoding of a picture.
  const random = createRandom(77)
  const names = shuffled(chooseBrandMarks(listedMarks()), random).slice(0, markCount)
  marks = await Promise.all(
    names.map(async (name) => ({
      name,
      png: await sharp(Buffer.from(markSvg(name, 256)))
        .png()
        .toBuffer()
    }))
  )
  scenes = []
  for (const [at, { name, png }] of marks.entries()) {
    const kind = kinds[at % kinds.length]!
    const degrees = kind === 'turned' ? (at % 2 === 0 ? 1 : -1) * random.between(30, 45) : undefined
    scenes.push({
      name,
      kind,
      jpeg: (
        await drawScene({
          picture: png,
          kind: kind === 'covered' ? 'covered' : 'plate',
          degrees,
          random: random.fork(name)
        })
      ).jpeg
    })
  }
  dir = temporaryFolder('logo')
  embedder = await createEmbedder({
    model: await prepareModel({ modelDir, cacheDir: dir }),
    executionProviders: ['cpu'],
    threads: 1
  })
  const profile = await loadProfile(modelDir)
  const project = (rawVectors: Float32Array) => applyProfile(rawVectors, profile)
  pictures = createPictureEmbedder({
    embedder,
    project,
    projectTogether: project,
    gate: createPriorityMutex({ turn: async () => undefined })
  })
})
afterAll(async () => {
  await embedder.close()
})

async function enrol(png: Buffer, { enrolment }: Settings): Promise<Float32Array[]> {
  const task = { kind: 'item' as const, itemId: 'x', imageKey: 'k', enrolment, embedding }
  return rowsOf(
    (
      await pictures.finishItem(
        await pictures.inferItem(await decodeImage(png), task, context),
        task,
        context
      )
    ).vectors
  )
}
async function find(picture: Buffer, gallery: readonly Row[], settings: Settings): Promise<string> {
  const { vectors } = await pictures.embedQuery(
    await decodeImage(picture),
    { kind: 'query', bytes: picture, embedding, ...settings },
    context
  )
  const scored = rowsOf(vectors).flatMap((vector) =>
    gallery.map((row) => ({ name: row.name, score: dot(row.vector, vector) }))
  )
  return scored.reduce((best, one) => (one.score > best.score ? one : best)).name
}
async function galleryOf(settings: Settings): Promise<Row[]> {
  const rows: Row[] = []
  for (const { name, png } of marks)
    rows.push(...(await enrol(png, settings)).map((vector) => ({ name, vector })))
  return rows
}
async function recallOf(profile: BuiltInProfile): Promise<Record<Kind, number>> {
  const settings = settingsOf(profile)
  const gallery = await galleryOf(settings)
  const right: Record<Kind, boolean[]> = { upright: [], turned: [], covered: [] }
  for (const { name, kind, jpeg } of scenes)
    right[kind].push((await find(jpeg, gallery, settings)) === name)
  const part = (values: boolean[]): number => values.filter(Boolean).length / values.length
  return { upright: part(right.upright), turned: part(right.turned), covered: part(right.covered) }
}

test('marks that are turned by up to 45 degrees or covered by 30 % are found, boxes not given', async () => {
  const [logo, general] = [await recallOf('logo'), await recallOf('general')]
  console.log('R@1 of rendered marks', JSON.stringify({ logo, general }))
  expect(logo.upright).toBeGreaterThanOrEqual(0.9)
  expect(logo.turned).toBeGreaterThanOrEqual(0.9)
  expect(logo.covered).toBeGreaterThanOrEqual(0.75)
  expect(logo.turned).toBeGreaterThanOrEqual(general.turned)
})

test('a mark gives the same vectors whatever is hidden under its transparency', async () => {
  const { data, info } = await sharp(marks[0]!.png)
    .ensureAlpha()
    .raw()
    .toBuffer({ resolveWithObject: true })
  const rubbish = Buffer.from(data)
  for (let i = 0; i < rubbish.length; i += 4)
    if (rubbish[i + 3] === 0) rubbish.set([i % 256, 255, (i >> 8) % 256], i)
  expect(rubbish.equals(data)).toBe(false)
  const settings = settingsOf('logo')
  expect(
    await enrol(
      await sharp(rubbish, { raw: { width: info.width, height: info.height, channels: 4 } })
        .png()
        .toBuffer(),
      settings
    )
  ).toEqual(await enrol(marks[0]!.png, settings))
})

test('a white mark on a transparent ground is found: sent as it is, with other borders, and on a dark plate', async () => {
  const settings = settingsOf('logo')
  const whitened = await Promise.all(
    marks.slice(0, 12).map(async ({ name, png }) => ({ name, png: await whiten(png) }))
  )
  const gallery = (
    await Promise.all(
      whitened.map(async ({ name, png }) =>
        (await enrol(png, settings)).map((vector) => ({ name, vector }))
      )
    )
  ).flat()
  const asked = whitened.slice(0, 4)
  const bordered = asked.map(({ png }) =>
    sharp(png)
      .extend({
        top: 90,
        left: 20,
        right: 5,
        bottom: 0,
        background: { r: 255, g: 255, b: 255, alpha: 0 }
      })
      .png()
      .toBuffer()
  )
  const plates = asked.map(({ png }) =>
    sharp(png).flatten({ background: '#333' }).jpeg().toBuffer()
  )
  for (const [i, { name, png }] of asked.entries()) {
    for (const picture of [png, await bordered[i]!, await plates[i]!])
      expect(await find(picture, gallery, settings)).toBe(name)
  }
})

/** Makes the shape white; transparent areas stay transparent. */
async function whiten(png: Buffer): Promise<Buffer> {
  const { data, info } = await sharp(png).ensureAlpha().raw().toBuffer({ resolveWithObject: true })
  for (let i = 0; i < data.length; i += 4) data.fill(255, i, i + 3)
  return sharp(data, { raw: { width: info.width, height: info.height, channels: 4 } })
    .png()
    .toBuffer()
}
