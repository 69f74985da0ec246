// Which rows a picture gets and how they become vectors. Each inference passes the gate by itself, so that a query never waits for more than one.
import type { Box } from '@likeness/shared/contract/lane'
import { toFloat16 } from '@likeness/vision'
import type { DecodedImage, Embedder, EmbedResult } from '@likeness/vision'
import type { Embedded, EmbeddedRow, ItemTask, Priority, QueryTask } from '../child-protocol.ts'
import { concatArrays } from '@likeness/shared/concat-arrays'
import type { Gate } from '../gate.ts'
import type { Project } from './projections.ts'

type RowWithRaw = EmbeddedRow & { raw: Float32Array }
export interface EmbedPictureDeps {
  embedder: Pick<Embedder, 'embed' | 'embedWhole'>
  /** f32 [n, rawDim] to f32 [n, dim]. */
  project: Project
  gate: Gate
}
export interface InferContext {
  priority: Priority
  /** Throws when nobody wants the result any more; asked before each inference. */
  checkCancelled: () => void
}
type Infer = <T>(work: () => Promise<T>) => Promise<T>
type Inferred = Omit<Embedded, 'decodeMs'>
/** Above every score. */
const nothingDetected = 2

export function createPictureEmbedder({ embedder, project, gate }: EmbedPictureDeps) {
  function createInfer({ priority, checkCancelled }: InferContext) {
    let inferMs = 0
    const infer: Infer = (work) =>
      gate.run(priority, async () => {
        checkCancelled()
        const startedMs = performance.now()
        const value = await work()
        inferMs += performance.now() - startedMs
        return value
      })
    return { infer, inferMs: () => inferMs }
  }

  /** The whole picture once per canvas size: maps are not scale-free, so both sides of a search use the same sizes. */
  async function wholeViews(kind: 'whole' | 'view', image: DecodedImage, sizes: readonly number[], infer: Infer): Promise<RowWithRaw[]> {
    const rows: RowWithRaw[] = []
    for (const size of sizes) {
      const [raw] = await infer(() => embedder.embedWhole(image, [size]))
      rows.push(wholeRow(kind, image, raw!))
    }
    return rows
  }

  /** Subjects, then one `view` row per view size; the whole picture at the model's own size only where there are no views. */
  async function embedItem(image: DecodedImage, task: ItemTask, context: InferContext): Promise<Inferred> {
    const { infer, inferMs } = createInfer(context)
    const rows: RowWithRaw[] = []
    if (task.subjects || task.viewSizes.length === 0) {
      const found = await infer(() => embedder.embed(image, task.subjects ? {} : { confidence: nothingDetected }))
      rows.push(...subjectRows(found))
      if (task.viewSizes.length === 0) rows.push(wholeRow('whole', image, found.whole))
    }
    rows.push(...(await wholeViews('view', image, task.viewSizes, infer)))
    const raw = concatArrays(Float32Array, rows.map((row) => row.raw))
    return { ...describe(image, rows), vectors: await project(raw, task.embedding), raw: toFloat16(raw), inferMs: inferMs() }
  }

  /** The given box alone, or else the subjects, best first, and then the whole picture at the sizes of the gallery's views. */
  async function embedQuery(image: DecodedImage, task: QueryTask, context: InferContext): Promise<Inferred> {
    const { infer, inferMs } = createInfer(context)
    const { box, confidence, maxDetections, viewSizes = [] } = task
    const options = box ? { extraBoxes: [box], confidence: nothingDetected } : { ...(confidence !== undefined && { confidence }), ...(maxDetections !== undefined && { maxDetections }) }
    const found = await infer(() => embedder.embed(image, options))
    const given = found.extra.map((raw): RowWithRaw => ({ kind: 'given', box: box!, score: 1, className: null, raw }))
    const whole = box || viewSizes.length > 0 ? [] : [wholeRow('whole', image, found.whole)]
    const rows = box ? given : [...subjectRows(found), ...whole, ...(await wholeViews('whole', image, viewSizes, infer))]
    return { ...describe(image, rows), vectors: await project(concatArrays(Float32Array, rows.map((row) => row.raw)), task.embedding), raw: new Uint16Array(0), inferMs: inferMs() }
  }
  return { embedItem, embedQuery }
}
export type PictureEmbedder = ReturnType<typeof createPictureEmbedder>

function subjectRows(found: EmbedResult): RowWithRaw[] {
  return found.subjects.map(({ box, score, className, raw }) => ({ kind: 'subject', box, score, className, raw }))
}

function wholeRow(kind: 'whole' | 'view', image: DecodedImage, raw: Float32Array): RowWithRaw {
  const box: Box = [0, 0, image.width, image.height]
  return { kind, box, score: 1, className: null, raw }
}

function describe({ width, height }: DecodedImage, rows: readonly RowWithRaw[]) {
  return { kind: 'embedded' as const, width, height, rows: rows.map(({ kind, box, score, className }): EmbeddedRow => ({ kind, box, score, className })) }
}
