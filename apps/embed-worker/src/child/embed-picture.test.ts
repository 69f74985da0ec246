import { expect, test } from 'vitest'
import type { DecodedImage, Embedder, EmbedResult } from '@likeness/vision'
import { createGate } from '../gate.ts'
import { createPictureEmbedder } from './embed-picture.ts'

const embedding = { version: 'test@1/own@1', dim: 2, unit: true }
const image = { width: 40, height: 30 } as DecodedImage
const found = (size: number): Float32Array => Float32Array.of(size, 1)

/** Says what was run: a vector begins with the size of its canvas, 416 for the model's own. */
function createFake() {
  const runs: string[] = []
  const embedder: Pick<Embedder, 'embed' | 'embedWhole'> = {
    async embed(_image, { extraBoxes = [], confidence = 0.25 } = {}): Promise<EmbedResult> {
      runs.push(`own ${confidence}`)
      const subjects = confidence > 1 ? [] : [{ box: [1, 2, 3, 4] as [number, number, number, number], score: 0.9, classId: 0, className: 'car', raw: found(1) }]
      return { width: 40, height: 30, subjects, whole: found(416), extra: extraBoxes.map(() => found(2)) }
    },
    async embedWhole(_image, sizes) {
      runs.push(`whole ${sizes.join()}`)
      return sizes.map(found)
    }
  }
  const pictures = createPictureEmbedder({ embedder, project: async (raws) => raws, gate: createGate({ turn: async () => undefined }) })
  return { pictures, runs }
}
const context = { priority: 'interactive' as const, checkCancelled: () => undefined }
const brief = ({ rows, vectors }: { rows: { kind: string }[]; vectors: Float32Array }) => rows.map(({ kind }, i) => [kind, vectors[2 * i]])

test('a query picture is embedded whole at the sizes of the gallery, so that a gallery picture finds itself', async () => {
  const { pictures, runs } = createFake()
  const query = await pictures.embedQuery(image, { kind: 'query', embedding, bytes: new Uint8Array(), viewSizes: [224, 128] }, context)
  expect(brief(query)).toEqual([['subject', 1], ['whole', 224], ['whole', 128]])
  const item = await pictures.embedItem(image, { kind: 'item', embedding, itemId: 'x', imageKey: 'k', viewSizes: [224, 128], subjects: false }, context)
  expect(brief(item)).toEqual([['view', 224], ['view', 128]])
  expect(runs).toEqual(['own 0.25', 'whole 224', 'whole 128', 'whole 224', 'whole 128'])
})

test('a gallery without views holds pictures at the size of the model, and so is the query', async () => {
  const { pictures } = createFake()
  expect(brief(await pictures.embedQuery(image, { kind: 'query', embedding, bytes: new Uint8Array() }, context))).toEqual([['subject', 1], ['whole', 416]])
  expect(brief(await pictures.embedItem(image, { kind: 'item', embedding, itemId: 'x', imageKey: 'k', viewSizes: [], subjects: true }, context))).toEqual([['subject', 1], ['whole', 416]])
})

test('of a query with a box only the box is embedded', async () => {
  const { pictures, runs } = createFake()
  const query = await pictures.embedQuery(image, { kind: 'query', embedding, bytes: new Uint8Array(), box: [0, 0, 9, 9], viewSizes: [224] }, context)
  expect(brief(query)).toEqual([['given', 2]])
  expect(runs).toEqual(['own 2'])
})

test('each inference passes the gate by itself', async () => {
  const { pictures } = createFake()
  let checks = 0
  await pictures.embedQuery(image, { kind: 'query', embedding, bytes: new Uint8Array(), viewSizes: [224, 128] }, { ...context, checkCancelled: () => void checks++ })
  expect(checks).toBe(3)
})
