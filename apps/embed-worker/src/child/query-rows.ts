// Embeds the boxes of a query picture.
import type { Box } from '@likeness/shared/contract/embedder'
import {
  type Enrolment,
  enrolmentSchema,
  type Look,
  lookSchema
} from '@likeness/shared/contract/picture-settings'
import {
  type DecodedImage,
  type EmbedOptions,
  type EmbedResult,
  mergeSubjects,
  nothingDetected,
  type Subject,
  tileBoxes
} from '@likeness/vision'
import type { QueryTask } from '../child-protocol.ts'
import { chooseSubjects } from './choose-subjects.ts'
import type { Inference } from './inference.ts'
import { moreDetections, subjectRows, wholeRow } from './picture-rows.ts'
import {
  embedBoxes,
  type QueryRow,
  withMiddles,
  withWholeMiddles,
  withWholes
} from './query-views.ts'

export const plain = {
  enrolment: enrolmentSchema.parse({ view_sizes: [] }),
  look: lookSchema.parse({})
}

/** Picture, settings and model of a query. */
interface Seen {
  image: DecodedImage
  enrolment: Enrolment
  look: Look
  inference: Inference
}

export async function givenRows(
  image: DecodedImage,
  box: Box,
  { enrolment = plain.enrolment, look = plain.look }: QueryTask,
  inference: Inference
): Promise<QueryRow[]> {
  const [rawVectors] = await embedBoxes(image, [box], enrolment, inference)
  const rows = rawVectors!.map(
    (raw): QueryRow => ({ kind: 'given', box, score: 1, className: null, raw, further: [] })
  )
  return withMiddles(rows, image, { shares: look.query_views, enrolment }, inference)
}

export async function foundRows(
  image: DecodedImage,
  { confidence, enrolment = plain.enrolment, look = plain.look }: QueryTask,
  ownMost: number,
  inference: Inference
): Promise<QueryRow[]> {
  const seen = { image, enrolment, look, inference }
  const most = look.max_objects ?? ownMost
  const options: EmbedOptions = {
    ...(confidence !== undefined && { confidence }),
    maxDetections: most,
    ...moreDetections(enrolment, look.query_subjects === 'main', most)
  }
  const boxes = look.tiles.flatMap((grid) => tileBoxes(image, grid))
  const found = await firstRun(seen, options, boxes)
  const subjects = await seeSubjects(seen, await findSubjects(seen, found, options), most)
  const needsWhole = subjects.length === 0 || look.whole !== 'fallback'
  const wholes = needsWhole ? await seeWhole(seen, found) : []
  const tiles = (found?.extra ?? []).map(
    (raw, i): QueryRow => ({
      kind: 'tile',
      box: boxes[i]!,
      score: 1,
      className: null,
      raw,
      further: []
    })
  )
  return look.whole === 'mean' && subjects.length > 0
    ? [...withWholes(subjects, wholes, enrolment.second_pass), ...tiles]
    : [...subjects, ...wholes, ...tiles]
}

/** undefined: neither subjects nor tiles are asked for. */
async function firstRun(
  { image, look, inference }: Seen,
  options: EmbedOptions,
  extraBoxes: readonly Box[]
): Promise<EmbedResult | undefined> {
  const isBlind = look.query_subjects === 'none'
  if (isBlind && extraBoxes.length === 0) return undefined
  return await inference.embed(image, {
    ...options,
    ...(isBlind && { confidence: nothingDetected }),
    ...(extraBoxes.length > 0 && { extraBoxes })
  })
}

async function findSubjects(
  { image, look, inference }: Seen,
  found: EmbedResult | undefined,
  options: EmbedOptions
): Promise<Subject[]> {
  if (found === undefined || look.query_subjects === 'none') return []
  if (look.detect_tiles.length === 0) return found.subjects
  const inTiles = await inference.detectInTiles(image, look.detect_tiles, options)
  return mergeSubjects([...found.subjects, ...inTiles], options.maxDetections!)
}

async function seeSubjects(
  { image, enrolment, look, inference }: Seen,
  subjects: readonly Subject[],
  most: number
): Promise<QueryRow[]> {
  const which = look.query_subjects === 'main' ? 'main' : 'all'
  const chosen = chooseSubjects(subjects, image, { ...enrolment, which, most })
  const rows = (await subjectRows(image, chosen, enrolment, inference)).map(
    (row): QueryRow => ({ ...row, further: [] })
  )
  return withMiddles(rows, image, { shares: look.query_views, enrolment }, inference)
}

async function seeWhole(
  { image, enrolment, look, inference }: Seen,
  found: EmbedResult | undefined
): Promise<QueryRow[]> {
  const { view_sizes: sizes } = enrolment
  const rows = (await inference.embedWhole(image, sizes, found?.whole)).map(
    (raw): QueryRow => ({ ...wholeRow('whole', image, raw), further: [] })
  )
  return withWholeMiddles(rows, image, { shares: look.query_views, sizes }, inference)
}
