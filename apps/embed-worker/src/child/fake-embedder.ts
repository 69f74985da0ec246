// A picture embedder without a model, for tests. Its vectors tell of its runs.
import type { z } from 'zod'
import { enrolmentSchema, lookSchema } from '@likeness/shared/contract/picture-settings'
import type { DecodedImage, EmbedResult, Subject } from '@likeness/vision'
import type { ItemTask, QueryTask } from '../child-protocol.ts'
import { createPriorityMutex } from '../priority-mutex.ts'
import { createPictureEmbedder, type EmbedPictureDeps } from './embed-picture.ts'

export const embedding = { version: 'test@1/own@1', dim: 2, unit: true }
export const image: DecodedImage = {
  width: 40,
  height: 30,
  rgb: new Uint8Array(40 * 30 * 3).fill(90)
}
const found = (size: number): Float32Array => Float32Array.of(size, 1)
export const subjectOf = (
  className: string,
  box: [number, number, number, number],
  score: number
): Subject => ({ box, score, classId: 0, className, raw: found(1) })

/**
 * The vectors show the runs: each begins with the size of the canvas, 416 for the model's own size.
 */
export function createFakeEmbedder(subjects: Subject[] = [subjectOf('car', [1, 2, 3, 4], 0.9)]) {
  const runs: string[] = []
  const embedder: EmbedPictureDeps['embedder'] = {
    manifest: { detection: { maxDetections: 5 }, inputSize: { width: 416, height: 416 } },
    async embed(
      { width, height },
      { extraBoxes = [], confidence = 0.25, maxDetections = 5 } = {}
    ): Promise<EmbedResult> {
      runs.push(`own ${width}x${height} ${confidence} ${maxDetections}`)
      return {
        width,
        height,
        subjects: confidence > 1 ? [] : subjects.slice(0, maxDetections),
        whole: found(416),
        extra: extraBoxes.map(() => found(2))
      }
    },
    async embedWhole({ width, height }, sizes) {
      runs.push(`whole ${width}x${height} ${sizes.join()}`)
      return sizes.map(found)
    }
  }
  const pictures = createPictureEmbedder({
    embedder,
    project: async (rawVectors) => rawVectors,
    projectTogether: async (rawVectors) => rawVectors,
    gate: createPriorityMutex({ turn: async () => undefined })
  })
  const item = async (settings: z.input<typeof enrolmentSchema>, picture = image) => {
    const task: ItemTask = {
      kind: 'item',
      embedding,
      itemId: 'x',
      imageKey: 'k',
      enrolment: enrolmentSchema.parse(settings)
    }
    return pictures.finishItem(await pictures.inferItem(picture, task, context), task, context)
  }
  const query = (
    task: Omit<Partial<QueryTask>, 'enrolment' | 'look'> & {
      enrolment?: z.input<typeof enrolmentSchema>
      look?: z.input<typeof lookSchema>
    } = {},
    picture = image,
    own = context
  ) =>
    pictures.embedQuery(
      picture,
      {
        kind: 'query',
        embedding,
        bytes: new Uint8Array(),
        ...task,
        enrolment: enrolmentSchema.parse(task.enrolment ?? { view_sizes: [] }),
        look: lookSchema.parse(task.look ?? {})
      },
      own
    )
  return { item, query, runs }
}
export const context = { priority: 'interactive' as const, checkCancelled: () => undefined as void }
export const brief = ({ rows, vectors }: { rows: { kind: string }[]; vectors: Float32Array }) =>
  rows.map(({ kind }, i) => [kind, vectors[2 * i]])
