// A threshold that was chosen by how often strangers pass it. It belongs to an embedding, to the
// weights that scores came from and to a gallery, and is not used where one of them is another.
import { z } from 'zod'
import { weightSchema } from './embedding-parts.ts'
import { mostParts } from './limits.ts'

const share = z.number().min(0).max(1)

export const thresholdSchema = z.number().min(-1e6).max(1e6)
export const calibratedThresholdSchema = z.strictObject({
  score_thres: thresholdSchema,
  /** Version of the embedding, weights of its parts and `cohort_weight` that scores came from. */
  embedding: z.string().min(1).max(200),
  parts: z.array(weightSchema).max(mostParts),
  cohort_weight: share,
  /** Items that the collection had. */
  items: z.number().int().min(1),
  /** Part of strangers that pass it, and of right answers that do not; null: none were asked. */
  false_accept: share.nullable(),
  false_reject: share.nullable()
})
export type CalibratedThreshold = z.infer<typeof calibratedThresholdSchema>

export const droppedReasons = ['embedding', 'weights', 'cohort_weight', 'items'] as const
/** What is another now; `items`: the collection has half as many, or twice as many. */
export type DroppedReason = (typeof droppedReasons)[number]

/** The threshold of searches that give none. */
export interface CollectionThreshold {
  /** null: there is none. */
  score_thres: number | null
  /** settings: `score_thres` was set. calibration: `calibrated_threshold` was. */
  from: 'settings' | 'calibration' | null
  /** Why the calibrated threshold is not used; null: it is, or there is none. */
  dropped: DroppedReason | null
}
/** What a search compares with. */
export interface Compared {
  embedding: string
  /** Weight of each part. */
  parts: readonly number[]
  cohort_weight: number
  items: number
}

/** Growth from which a gallery is another one: confidences are learned anew then, too. */
const grown = 2

export function droppedBy(
  { embedding, parts, cohort_weight: weight, items }: CalibratedThreshold,
  now: Compared
): DroppedReason | null {
  if (embedding !== now.embedding) return 'embedding'
  const isSame = parts.length === now.parts.length && parts.every((one, i) => one === now.parts[i])
  if (!isSame) return 'weights'
  if (weight !== now.cohort_weight) return 'cohort_weight'
  return items >= grown * now.items || now.items >= grown * items ? 'items' : null
}

/** `score_thres` of the settings stands above a calibrated one. */
export function thresholdOf(
  settings: {
    score_thres?: number | undefined
    calibrated_threshold?: CalibratedThreshold | undefined
  },
  now: Compared
): CollectionThreshold {
  const { score_thres: set, calibrated_threshold: calibrated } = settings
  if (set !== undefined) return { score_thres: set, from: 'settings', dropped: null }
  if (calibrated === undefined) return { score_thres: null, from: null, dropped: null }
  const dropped = droppedBy(calibrated, now)
  return dropped === null
    ? { score_thres: calibrated.score_thres, from: 'calibration', dropped }
    : { score_thres: null, from: null, dropped }
}
