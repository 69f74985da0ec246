// The projection of a profile: parts of raw vectors to parts of vectors. Its description, its file
// and its form in memory.
import { z } from 'zod'
import { partSchema, partsDim, partsSchema } from './embedding-parts.ts'

export const mostRawDim = 65_536

const rawRangeSchema = z
  .tuple([z.int().min(0), z.int().max(mostRawDim)])
  .refine(([from, to]) => from < to, { message: 'the first number, and the one behind the last' })
export const profilePartSchema = partSchema.extend({
  /** Numbers of the raw vector that make the part: the first, and the one behind the last. */
  raw: rawRangeSchema
})
export type ProfilePart = z.infer<typeof profilePartSchema>

/** Parts in the order of a raw vector. Numbers between them are not used. */
export const profilePartsSchema = z.array(profilePartSchema).superRefine((parts, ctx) => {
  for (const { path, message } of partsSchema.safeParse(parts.map(bare)).error?.issues ?? [])
    ctx.addIssue({ code: 'custom', path, message })
  if (parts.some(({ raw }, i) => i > 0 && raw[0] < parts[i - 1]!.raw[1]))
    ctx.addIssue({ code: 'custom', message: 'the raw ranges of parts ascend and do not overlap' })
})

const bare = ({ raw: _, ...part }: ProfilePart) => part

/** Description of a projection. Without parts it is one part over the whole raw vector. */
export interface ProjectionForm {
  /** Numbers of a raw vector, and of a vector. */
  raw_dim: number
  dim: number
  parts?: readonly ProfilePart[] | undefined
}

/** Returns the reason why parts do not fit the numbers of raw vectors and vectors, or undefined. */
export function partsProblem({ raw_dim: rawDim, dim, parts }: ProjectionForm): string | undefined {
  if (parts === undefined) return undefined
  if (partsDim(parts) !== dim)
    return `the numbers of the parts add up to ${partsDim(parts)}, not ${dim}`
  return parts.some(({ raw }) => raw[1] > rawDim)
    ? `a part takes numbers beyond the ${rawDim} of a raw vector`
    : undefined
}

export interface ProjectedPart {
  name: string
  /** Numbers [from, to) of a raw vector. */
  from: number
  to: number
  /** Numbers of the part in a vector. */
  dim: number
  /** Weight in a search for which nothing else is given. */
  weight: number
  /** f32 [dim, to - from], row-major. */
  matrix: Float32Array
  /** f32 [dim]. */
  bias: Float32Array
}
/** Parts in the order of a vector. */
export interface Projection {
  dIn: number
  dOut: number
  parts: readonly ProjectedPart[]
}

/** Name of the only part of a projection that names none. */
const onlyPart = 'instance'
const formsOf = ({ raw_dim: rawDim, dim, parts }: ProjectionForm): readonly ProfilePart[] =>
  parts ?? [{ name: onlyPart, raw: [0, rawDim], dim, weight: 1 }]
const floatsOf = ({ raw, dim }: Pick<ProfilePart, 'raw' | 'dim'>): number =>
  dim * (raw[1] - raw[0] + 1)

/** One part over the whole raw vector: matrix f32 [dOut, dIn], row-major, and bias f32 [dOut]. */
export const wholeProjection = ({
  dIn,
  dOut,
  matrix,
  bias
}: Record<'dIn' | 'dOut', number> & Record<'matrix' | 'bias', Float32Array>): Projection => ({
  dIn,
  dOut,
  parts: [{ name: onlyPart, from: 0, to: dIn, dim: dOut, weight: 1, matrix, bias }]
})

/** Bytes of a projection's file: of each part the matrix, then the bias, little-endian f32. */
export const projectionBytes = (form: ProjectionForm): number =>
  4 * formsOf(form).reduce((sum, part) => sum + floatsOf(part), 0)

/** `values`: the numbers of a projection's file. Matrices are views of them. */
export function splitProjection(values: Float32Array, form: ProjectionForm): Projection {
  let next = 0
  const take = (count: number): Float32Array => values.subarray(next, (next += count))
  return {
    dIn: form.raw_dim,
    dOut: form.dim,
    parts: formsOf(form).map(({ name, raw: [from, to], dim, weight }) => ({
      name,
      from,
      to,
      dim,
      weight,
      matrix: take(dim * (to - from)),
      bias: take(dim)
    }))
  }
}

/** Numbers of a projection's file. */
export function joinProjection({ parts }: Pick<Projection, 'parts'>): Float32Array {
  const pieces = parts.flatMap(({ matrix, bias }) => [matrix, bias])
  const values = new Float32Array(pieces.reduce((sum, { length }) => sum + length, 0))
  let next = 0
  for (const piece of pieces) {
    values.set(piece, next)
    next += piece.length
  }
  return values
}

/**
 * Describes the parts of a projection; no field for a single part over the whole raw vector, so
 * that older programs read it.
 */
export function describeParts({ dIn, parts }: Projection): { parts?: ProfilePart[] } {
  const [first] = parts
  if (parts.length === 1 && first!.from === 0 && first!.to === dIn) return {}
  return {
    parts: parts.map(({ name, from, to, dim, weight }) => ({ name, raw: [from, to], dim, weight }))
  }
}
