import { z } from 'zod'

/** An immutable object that a version names. */
export const fileRefSchema = z.strictObject({
  key: z.string(),
  sizeBytes: z.number().int(),
  sha256: z.string()
})
export type FileRef = z.infer<typeof fileRefSchema>
