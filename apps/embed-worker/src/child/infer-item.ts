// Embeds the boxes and views of a gallery picture.
import type { DecodedImage } from '@likeness/vision'
import type { ItemTask } from '../child-protocol.ts'
import { chooseSubjects } from './choose-subjects.ts'
import { enrolmentViews } from './enrolment-views.ts'
import type { Inference } from './inference.ts'
import {
  describe,
  type Inferred,
  moreDetections,
  moved,
  placed,
  rawOf,
  type RowWithRaw,
  subjectRows,
  wholeRow
} from './picture-rows.ts'

/** Result of an item without the picture. So the memory of the picture is free. */
export interface InferredItem extends Omit<Inferred, 'vectors' | 'raw'> {
  /** f32 [rows, rawDim] */
  raw: Float32Array
}

/**
 * Returns subjects, then a `view` row per view and size. The whole picture at the model's own size
 * is added only when there are no views.
 */
export async function inferItem(
  picture: DecodedImage,
  { enrolment }: ItemTask,
  ownMost: number,
  inference: Inference
): Promise<InferredItem> {
  const { image, ...offset } = placed(picture, enrolment)
  const { subjects: which, view_sizes: sizes } = enrolment
  const rows: RowWithRaw[] = []
  let whole: Float32Array | undefined
  if (which !== false) {
    const found = await inference.embed(image, moreDetections(enrolment, which === 'main', ownMost))
    whole = found.whole
    const chosen = chooseSubjects(found.subjects, image, {
      ...enrolment,
      which: which === 'main' ? 'main' : 'all',
      most: ownMost
    })
    rows.push(...(await subjectRows(image, chosen, enrolment, inference)))
  }
  for await (const view of enrolmentViews(image, enrolment)) {
    const isPlain = view === image && sizes.length === 0
    const rawVectors = await inference.embedWhole(view, sizes, view === image ? whole : undefined)
    rows.push(...rawVectors.map((raw) => wholeRow(isPlain ? 'whole' : 'view', image, raw)))
  }
  const raw = rawOf(rows)
  return { ...describe(picture, moved(rows, offset)), raw, inferMs: inference.inferMs }
}
