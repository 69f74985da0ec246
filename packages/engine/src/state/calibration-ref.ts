// What a manifest says of the calibration of its collection. The calibration itself is an object
// beside the state lines.
import { z } from 'zod'
import { fileRefSchema } from './file-ref.ts'

export const calibrationRefSchema = fileRefSchema.extend({
  /** Items that the collection had when it was learned. */
  items: z.number().int().min(0),
  /** Version of the embedding, and the weights of its parts, that scores came from. */
  embedding: z.string(),
  parts: z.array(z.number())
})
export type CalibrationRef = z.infer<typeof calibrationRefSchema>
