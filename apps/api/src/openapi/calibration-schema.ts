// How sure answers of a collection are, in the OpenAPI document.
import { z } from 'zod'
import { rate, reliabilitySchema } from '@likeness/shared/confidence/calibration'
import {
  type CollectionThreshold,
  droppedReasons
} from '@likeness/shared/contract/calibrated-threshold'
import type { CalibrationAnswer } from '@likeness/shared/contract/http/collections'

const count = z.number().int().min(0)
export const calibrationSchema = z.strictObject({
  kind: z.enum(['learned', 'prior']),
  prior: z.string(),
  learned_at: z.iso.datetime().nullable(),
  items: count,
  probes: z.strictObject({ known: count, strangers: count }),
  ece: rate.nullable(),
  reliability: reliabilitySchema,
  curve: z.array(
    z.strictObject({
      confidence: rate,
      false_accept: rate.nullable(),
      false_reject: rate.nullable()
    })
  )
}) satisfies z.ZodType<CalibrationAnswer>

export const thresholdAnswerSchema = z.strictObject({
  score_thres: z.number().nullable(),
  from: z.enum(['settings', 'calibration']).nullable(),
  dropped: z.enum(droppedReasons).nullable()
}) satisfies z.ZodType<CollectionThreshold>
