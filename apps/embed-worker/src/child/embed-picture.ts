// Chooses the boxes and views of a picture to embed; the embedder turns each into a vector. Each
// inference takes the priority mutex separately, so a query waits for at most a single inference.
import type { Box } from '@likeness/shared/contract/embedder'
import {
  type Enrolment,
  enrolmentSchema,
  lookSchema
} from '@likeness/shared/contract/picture-settings'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { toFloat16 } from '@likeness/shared/data/float16'
import {
  cropPicture,
  cutBox,
  type DecodedImage,
  type Embedder,
  type EmbedOptions,
  nothingDetected,
  type Subject,
  trimPicture
} from '@likeness/vision'
import type { Embedded, EmbeddedRow, ItemTask, Priority, QueryTask } from '../child-protocol.ts'
import type { PriorityMutex } from '../priority-mutex.ts'
import { chooseSubjects } from './choose-subjects.ts'
import { enrolmentViews } from './enrolment-views.ts'
import type { Project } from './projections.ts'
import { fromTile, mergeSubjects, tileBoxes } from './tiles.ts'

type RowWithRaw = EmbeddedRow & { raw: Float32Array }
export interface EmbedPictureDeps {
  embedder: Pick<Embedder, 'embed' | 'embedWhole'> & {
    manifest: { detection: { maxDetections: number } }
  }
  /** f32 [n, rawDim] to f32 [n, dim]. */
  project: Project
  /** The same, together with other gallery pictures. */
  projectTogether: Project
  gate: PriorityMutex
}
export interface InferContext {
  priority: Priority
  /** Throws when the task was cancelled; called before each inference. */
  checkCancelled: () => void
}
type Infer = <T>(work: () => Promise<T>) => Promise<T>
type Inferred = Omit<Embedded, 'decodeMs'>
/** Result of an item without the picture, so that the picture's memory is free. */
interface InferredItem extends Omit<Inferred, 'vectors' | 'raw'> {
  /** f32 [rows, rawDim] */
  raw: Float32Array
}
/** Factor of extra detections where some detections will not count. */
const spareDetections = 4
const plain = { enrolment: enrolmentSchema.parse({ view_sizes: [] }), look: lookSchema.parse({}) }

export function createPictureEmbedder({
  embedder,
  project,
  projectTogether,
  gate
}: EmbedPictureDeps) {
  const { maxDetections: ownMost } = embedder.manifest.detection

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

  /**
   * Embeds the whole picture once per canvas size. Maps depend on the scale, so both sides of a
   * search use the same sizes. An empty list of sizes means the model's own size.
   */
  async function embedWhole(
    image: DecodedImage,
    sizes: readonly number[],
    infer: Infer
  ): Promise<Float32Array[]> {
    if (sizes.length === 0)
      return [(await infer(() => embedder.embed(image, { confidence: nothingDetected }))).whole]
    const rawVectors: Float32Array[] = []
    for (const size of sizes)
      rawVectors.push(...(await infer(() => embedder.embedWhole(image, [size]))))
    return rawVectors
  }

  /** Finds the subjects of the picture's tiles, with a run of the model for each tile. */
  async function detectInTiles(
    image: DecodedImage,
    grids: readonly number[],
    options: EmbedOptions,
    infer: Infer
  ): Promise<Subject[]> {
    const subjects: Subject[] = []
    for (const box of grids.flatMap((grid) => tileBoxes(image, grid))) {
      const { image: tile, left, top } = cropPicture(image, box)
      const found = await infer(() => embedder.embed(tile, options))
      const place = { left, top, width: tile.width, height: tile.height }
      subjects.push(...found.subjects.flatMap((subject) => fromTile(subject, place, image) ?? []))
    }
    return subjects
  }

  /**
   * Returns subjects, then a `view` row per view and size. The whole picture at the model's own
   * size is added only where there are no views.
   */
  async function inferItem(
    picture: DecodedImage,
    { enrolment }: ItemTask,
    context: InferContext
  ): Promise<InferredItem> {
    const { infer, inferMs } = createInfer(context)
    const { image, ...offset } = placed(picture, enrolment)
    const { subjects: which, view_sizes: sizes } = enrolment
    const rows: RowWithRaw[] = []
    let whole: Float32Array | undefined
    if (which !== false) {
      const found = await infer(() =>
        embedder.embed(image, moreDetections(enrolment, which === 'main', ownMost))
      )
      whole = found.whole
      const chosen = chooseSubjects(found.subjects, image, {
        ...enrolment,
        which: which === 'main' ? 'main' : 'all',
        most: ownMost
      })
      rows.push(...(await subjectRows(image, chosen, enrolment, infer)))
    }
    for await (const view of enrolmentViews(image, enrolment)) {
      const isPlain = view === image && sizes.length === 0
      const rawVectors =
        isPlain && whole !== undefined ? [whole] : await embedWhole(view, sizes, infer)
      rows.push(...rawVectors.map((raw) => wholeRow(isPlain ? 'whole' : 'view', image, raw)))
    }
    const raw = concatArrays(
      Float32Array,
      rows.map((row) => row.raw)
    )
    return { ...describe(picture, moved(rows, offset)), raw, inferMs: inferMs() }
  }

  /** Projects an item. An item of a bulk import waits a short time for other bulk items. */
  async function finishItem(
    { raw, ...inferred }: InferredItem,
    { embedding }: ItemTask,
    { priority }: InferContext
  ): Promise<Inferred> {
    const vectors = await (priority === 'bulk' ? projectTogether : project)(raw, embedding)
    return { ...inferred, vectors, raw: toFloat16(raw) }
  }

  /**
   * Embeds the given box alone; else the subjects, best first, then the whole picture at the sizes
   * of the gallery's views, then tiles.
   */
  async function embedQuery(
    picture: DecodedImage,
    task: QueryTask,
    context: InferContext
  ): Promise<Inferred> {
    const { infer, inferMs } = createInfer(context)
    const { box, enrolment = plain.enrolment } = task
    const { image, ...offset } = placed(picture, enrolment)
    const rows = box
      ? await givenRows(
          image,
          moveBox(box, { left: -offset.left, top: -offset.top }),
          enrolment,
          infer
        )
      : await foundRows(image, task, infer)
    const raw = concatArrays(
      Float32Array,
      rows.map((row) => row.raw)
    )
    return {
      ...describe(picture, moved(rows, offset)),
      vectors: await project(raw, task.embedding),
      raw: task.raws ? toFloat16(raw) : new Uint16Array(0),
      inferMs: inferMs()
    }
  }

  async function givenRows(
    image: DecodedImage,
    box: Box,
    { second_pass: again, view_sizes: sizes }: Enrolment,
    infer: Infer
  ): Promise<RowWithRaw[]> {
    const rawVectors = again
      ? await embedPart(image, box, sizes, infer)
      : (
          await infer(() =>
            embedder.embed(image, { extraBoxes: [box], confidence: nothingDetected })
          )
        ).extra
    return rawVectors.map((raw) => ({ kind: 'given', box, score: 1, className: null, raw }))
  }

  async function subjectRows(
    image: DecodedImage,
    subjects: readonly Subject[],
    { second_pass: again, view_sizes: sizes }: Enrolment,
    infer: Infer
  ): Promise<RowWithRaw[]> {
    const rows: RowWithRaw[] = []
    for (const { box, score, className, raw } of subjects) {
      const rawVectors = again ? await embedPart(image, box, sizes, infer) : [raw]
      rows.push(
        ...rawVectors.map(
          (own): RowWithRaw => ({ kind: 'subject', box, score, className, raw: own })
        )
      )
    }
    return rows
  }

  /** Embeds a part that is cut out like a picture: a vector for each size. */
  const embedPart = (
    image: DecodedImage,
    box: Box,
    sizes: readonly number[],
    infer: Infer
  ): Promise<Float32Array[]> =>
    embedWhole(cropPicture(image, cutBox(box, image)).image, sizes, infer)

  async function foundRows(
    image: DecodedImage,
    { confidence, enrolment = plain.enrolment, look = plain.look }: QueryTask,
    infer: Infer
  ): Promise<RowWithRaw[]> {
    const most = look.max_objects ?? ownMost
    const options = {
      ...(confidence !== undefined && { confidence }),
      maxDetections: most,
      ...moreDetections(enrolment, look.query_subjects === 'main', most)
    }
    const boxes = look.tiles.flatMap((grid) => tileBoxes(image, grid))
    const found = await infer(() =>
      embedder.embed(image, { ...options, ...(boxes.length > 0 && { extraBoxes: boxes }) })
    )
    const tiled =
      look.detect_tiles.length === 0
        ? found.subjects
        : mergeSubjects([
            ...found.subjects,
            ...(await detectInTiles(image, look.detect_tiles, options, infer))
          ])
    const subjects = await subjectRows(
      image,
      chooseSubjects(tiled, image, { ...enrolment, which: look.query_subjects, most }),
      enrolment,
      infer
    )
    const seeWhole = async (): Promise<Float32Array[]> =>
      enrolment.view_sizes.length === 0
        ? [found.whole]
        : await embedWhole(image, enrolment.view_sizes, infer)
    const wholes = subjects.length > 0 && look.whole === 'fallback' ? [] : await seeWhole()
    const tiles = found.extra.map(
      (raw, i): RowWithRaw => ({ kind: 'tile', box: boxes[i]!, score: 1, className: null, raw })
    )
    return [...subjects, ...wholes.map((raw) => wholeRow('whole', image, raw)), ...tiles]
  }
  return { inferItem, finishItem, embedQuery }
}
export type PictureEmbedder = ReturnType<typeof createPictureEmbedder>

interface Offset {
  left: number
  top: number
}

const placed = (picture: DecodedImage, { trim }: Enrolment): Offset & { image: DecodedImage } =>
  trim ? trimPicture(picture) : { image: picture, left: 0, top: 0 }

function moveBox([x1, y1, x2, y2]: Box, { left, top }: Offset): Box {
  return [x1 + left, y1 + top, x2 + left, y2 + top]
}
const moved = (rows: readonly RowWithRaw[], offset: Offset): RowWithRaw[] =>
  rows.map((row) => ({ ...row, box: moveBox(row.box, offset) }))

function moreDetections(
  { classes, without_classes: without }: Enrolment,
  onlyMain: boolean,
  most: number
): EmbedOptions {
  return onlyMain || classes.length > 0 || without.length > 0
    ? { maxDetections: spareDetections * most }
    : {}
}

function wholeRow(
  kind: 'whole' | 'view',
  { width, height }: DecodedImage,
  raw: Float32Array
): RowWithRaw {
  return { kind, box: [0, 0, width, height], score: 1, className: null, raw }
}

function describe({ width, height }: DecodedImage, rows: readonly RowWithRaw[]) {
  return {
    kind: 'embedded' as const,
    width,
    height,
    rows: rows.map(
      ({ kind, box, score, className }): EmbeddedRow => ({ kind, box, score, className })
    )
  }
}
