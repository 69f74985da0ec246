// The parts of an embedding and their weights: their schemas, the stored form of a row, and the
// form of a query whose parts have weights.
import { z } from 'zod'
import { mostParts } from './limits.ts'

export const partNameSchema = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,31}$/,
    'the name of a part is 1-32 of a-z 0-9 _ and starts with a letter'
  )
export const weightSchema = z.number().min(0).max(100)

export const partSchema = z.strictObject({
  name: partNameSchema,
  /** Number of values of the part. */
  dim: z.number().int().min(1).max(4096),
  /** Weight of a search for which neither the request nor the collection has one. */
  weight: weightSchema
})
export type EmbeddingPart = z.infer<typeof partSchema>

export const partsSchema = z
  .array(partSchema)
  .min(1)
  .max(mostParts)
  .refine((parts) => new Set(parts.map(({ name }) => name)).size === parts.length, {
    message: 'two parts have the same name'
  })
  .refine((parts) => parts.some(({ weight }) => weight > 0), {
    message: 'a part has a weight above 0'
  })

/** Weights by the name of the part. */
export const weightsSchema = z
  .record(partNameSchema, weightSchema)
  .refine((weights) => Object.keys(weights).length <= mostParts, {
    message: `an embedding has at most ${mostParts} parts`
  })
export type Weights = z.infer<typeof weightsSchema>

export const partsDim = (parts: readonly Pick<EmbeddingPart, 'dim'>[]): number =>
  parts.reduce((sum, { dim }) => sum + dim, 0)

/**
 * Writes a row [dim] in stored form into `row` and returns it: each part has the length
 * 1 / sqrt(number of parts), so the row as a whole has unit length. A part that is zero has no
 * direction and stays zero. undefined, with `row` partly written, for a row that has no part with a
 * direction, and for values whose squares no double holds. `values` may be `row` itself.
 */
export function storedForm(
  values: ArrayLike<number>,
  parts: readonly Pick<EmbeddingPart, 'dim'>[],
  row: Float32Array = new Float32Array(values.length)
): Float32Array | undefined {
  let hasDirection = false
  let first = 0
  for (const { dim } of parts) {
    const end = first + dim
    const squares = squaresOf(values, first, end)
    if (!Number.isFinite(squares)) return undefined
    if (squares > 0) {
      hasDirection = true
      const length = Math.sqrt(squares * parts.length)
      for (let i = first; i < end; i++) row[i] = values[i]! / length
    } else row.fill(0, first, end)
    first = end
  }
  return hasDirection ? row : undefined
}

/** Four sums side by side: one alone waits for the addition before. */
function squaresOf(values: ArrayLike<number>, first: number, end: number): number {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = first
  for (; i + 3 < end; i += 4) {
    a += values[i]! * values[i]!
    b += values[i + 1]! * values[i + 1]!
    c += values[i + 2]! * values[i + 2]!
    d += values[i + 3]! * values[i + 3]!
  }
  for (; i < end; i++) a += values[i]! * values[i]!
  return a + b + (c + d)
}

/** A part with the weight that a search gives it. */
export type WeightedPart = Pick<EmbeddingPart, 'name' | 'dim' | 'weight'>

/**
 * Scales the parts of queries in stored form [n, dim], so that the inner product of a query with a
 * row in stored form is the mean of the parts' cosines, by weight: an identical row gives 1. The
 * given queries stay as they are.
 */
export const weighQueries = (rows: Float32Array, parts: readonly WeightedPart[]): Float32Array =>
  scaleParts(rows, parts, (share) => share)

/**
 * Scales the parts of rows [n, dim] that are compared with each other: the inner product of two of
 * them is what `weighQueries` gives for one as the query of the other, and each has unit length.
 */
export const weighBothSides = (rows: Float32Array, parts: readonly WeightedPart[]): Float32Array =>
  scaleParts(rows, parts, Math.sqrt)

function scaleParts(
  rows: Float32Array,
  parts: readonly WeightedPart[],
  factorOf: (share: number) => number
): Float32Array {
  const sum = parts.reduce((all, { weight }) => all + weight, 0)
  const factors = parts.map(({ weight }) => factorOf((parts.length * weight) / sum))
  if (factors.every((factor) => factor === 1)) return rows
  const out = rows.slice()
  for (let at = 0; at < out.length; )
    for (const [p, { dim }] of parts.entries())
      for (const end = at + dim; at < end; at++) out[at]! *= factors[p]!
  return out
}
