// Defines a key in the yaml of a gallery: a check and the documentation.
import { z } from 'zod'
import { parseArithmetic } from './arithmetic.ts'

/** Documentation of a key. */
interface KeyMeta {
  description: string
  /** Values that editors offer. */
  examples?: readonly string[]
  /** Text in the table for an absent key. Without this text the key is required. */
  absent?: string
}
export const key = <T extends z.ZodType>(schema: T, meta: KeyMeta): T =>
  schema.meta({ ...meta, ...(meta.examples && { examples: [...meta.examples] }) })

const noNumber = (value: unknown): string => `a number is expected, not ${JSON.stringify(value)}`

/** Schema of a number, or of a calculation as text. */
export const number = (check: z.ZodNumber) =>
  z
    .union([z.number(), z.string()], { error: ({ input }) => noNumber(input) })
    .transform((value, ctx): number => {
      const parsed = typeof value === 'number' ? value : parseArithmetic(value)
      const checked = parsed === undefined ? undefined : check.safeParse(parsed)
      if (checked?.success) return checked.data
      ctx.addIssue({
        code: 'custom',
        message: checked === undefined ? noNumber(value) : checked.error.issues[0]!.message
      })
      return z.NEVER
    })
export const whole = (min: number, max: number) => number(z.number().int().min(min).max(max))
export const share = number(z.number().min(0).max(1))

export const oneOf = <T extends string>(values: readonly T[]) =>
  z.string().transform((text, ctx): T => {
    const found = values.find((value) => value.toLowerCase() === text.toLowerCase())
    if (found !== undefined) return found
    ctx.addIssue({
      code: 'custom',
      message: `one of ${values.join(', ')}, not ${JSON.stringify(text)}`
    })
    return z.NEVER
  })
export const path = z.string().min(1).max(4096)
export const fieldName = z.string().min(1).max(128)
