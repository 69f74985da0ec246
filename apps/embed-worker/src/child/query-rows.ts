// Embeds the boxes of a query picture.
import type { Box } from '@likeness/shared/contract/embedder'
import {
  type Enrolment,
  enrolmentSchema,
  lookSchema
} from '@likeness/shared/contract/picture-settings'
import { type DecodedImage, type EmbedOptions, nothingDetected } from '@likeness/vision'
import type { QueryTask } from '../child-protocol.ts'
import { chooseSubjects } from './choose-subjects.ts'
import type { Inference } from './inference.ts'
import { moreDetections, type RowWithRaw, subjectRows, wholeRow } from './picture-rows.ts'
import { mergeSubjects, tileBoxes } from './tiles.ts'

export const plain = {
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  look: lookSchema.parse({})
}

export async function givenRows(
  image: DecodedImage,
  box: Box,
  { second_pass: again, view_sizes: sizes }: Enrolment,
  inference: Inference
): Promise<RowWithRaw[]> {
  const rawVectors = again
    ? await inference.embedPart(image, box, sizes)
    : (await inference.embed(image, { extraBoxes: [box], confidence: nothingDetected })).extra
  return rawVectors.map((raw) => ({ kind: 'given', box, score: 1, className: null, raw }))
}

export async function foundRows(
  image: DecodedImage,
  { confidence, enrolment = plain.enrolment, look = plain.look }: QueryTask,
  ownMost: number,
  inference: Inference
): Promise<RowWithRaw[]> {
  const most = look.max_objects ?? ownMost
  const options: EmbedOptions = {
    ...(confidence !== undefined && { confidence }),
    maxDetections: most,
    ...moreDetections(enrolment, look.query_subjects === 'main', most)
  }
  const boxes = look.tiles.flatMap((grid) => tileBoxes(image, grid))
  const found = await inference.embed(image, {
    ...options,
    ...(boxes.length > 0 && { extraBoxes: boxes })
  })
  const tiled =
    look.detect_tiles.length === 0
      ? found.subjects
      : mergeSubjects([
          ...found.subjects,
          ...(await inference.detectInTiles(image, look.detect_tiles, options))
        ])
  const subjects = await subjectRows(
    image,
    chooseSubjects(tiled, image, { ...enrolment, which: look.query_subjects, most }),
    enrolment,
    inference
  )
  const seeWhole = async (): Promise<Float32Array[]> =>
    enrolment.view_sizes.length === 0
      ? [found.whole]
      : await inference.embedWhole(image, enrolment.view_sizes)
  const wholes = subjects.length > 0 && look.whole === 'fallback' ? [] : await seeWhole()
  const tiles = found.extra.map(
    (raw, i): RowWithRaw => ({ kind: 'tile', box: boxes[i]!, score: 1, className: null, raw })
  )
  return [...subjects, ...wholes.map((raw) => wholeRow('whole', image, raw)), ...tiles]
}
