// The closed-form projection: whitens the variation within a group of rows, then keeps the
// directions in which all rows differ most.
import { linearTransform, symmetricEigen } from '@likeness/faiss'
import { concatArrays } from '@likeness/shared/data/concat-arrays'
import { appError } from '@likeness/shared/errors'
import type { ReferenceViews } from './embed-views.ts'

export interface LearnedMatrix {
  dIn: number
  dOut: number
  /** f32 [dOut, dIn], row-major. */
  matrix: Float32Array
  /** f32 [dOut]. */
  bias: Float32Array
}

/**
 * Fraction of the mean eigenvalue that is added to every eigenvalue of the scatter within
 * references.
 */
const regularisation = 0.1
export const fewestRows = 300

export interface LearnOptions {
  /** Number of directions to keep, where there are as many. */
  dim: number
  /**
   * Without whitening the rows are only centred and turned: principal components, which keep
   * cosines about the mean.
   */
  whiten?: boolean
}

/**
 * `groups`: rows of a single thing each. Rejects with `invalid_request` for fewer than 300 rows.
 */
export async function learnProjection(
  groups: readonly ReferenceViews[],
  { dim, whiten = true }: LearnOptions
): Promise<LearnedMatrix> {
  const rows = groups.flat()
  const dIn = rows[0]?.length ?? 0
  const dOut = Math.min(dim, dIn, rows.length - 1)
  if (rows.length < fewestRows)
    throw appError(
      'invalid_request',
      `${rows.length} views are too few to learn a projection from: at least ${fewestRows} are needed`
    )
  const mean = meanOf(rows)
  const centred = concatArrays(
    Float32Array,
    rows.map((row) => subtract(row, mean))
  )
  const whitening = whiten ? await whitenWithin(groups, dIn) : undefined
  const whitened =
    whitening === undefined
      ? centred
      : await linearTransform(centred, { matrix: whitening, dIn, dOut: dIn })
  const { vectors } = await symmetricEigen(await scatterOf(whitened, dIn), dIn)
  const kept = Float32Array.from(vectors.subarray(0, dOut * dIn))
  const matrix =
    whitening === undefined
      ? kept
      : await linearTransform(kept, { matrix: transpose(whitening, dIn), dIn, dOut: dIn })
  const bias = (await linearTransform(mean, { matrix, dIn, dOut })).map((value) => -value)
  return { dIn, dOut, matrix, bias }
}

/**
 * Rows are the eigenvectors of the scatter within references, each divided by the root of its
 * regularised eigenvalue.
 */
async function whitenWithin(views: readonly ReferenceViews[], dim: number): Promise<Float32Array> {
  const deviations = views.flatMap((own) => {
    const mean = meanOf(own)
    return own.map((row) => subtract(row, mean))
  })
  const { values, vectors } = await symmetricEigen(
    await scatterOf(concatArrays(Float32Array, deviations), dim),
    dim
  )
  // Where nothing varies, nothing is whitened.
  const floor = (regularisation * values.reduce((sum, value) => sum + value, 0)) / dim || 1
  const whitening = new Float32Array(dim * dim)
  for (let i = 0; i < dim; i++) {
    const scale = 1 / Math.sqrt(Math.max(0, values[i]!) + floor)
    for (let j = 0; j < dim; j++) whitening[i * dim + j] = vectors[i * dim + j]! * scale
  }
  return whitening
}

/** Mean of the outer products of the rows, f64 [dim, dim]. */
async function scatterOf(rows: Float32Array, dim: number): Promise<Float64Array> {
  const count = rows.length / dim
  const columns = new Float32Array(rows.length)
  for (let i = 0; i < count; i++)
    for (let j = 0; j < dim; j++) columns[j * count + i] = rows[i * dim + j]!
  const products = await linearTransform(columns, { matrix: columns, dIn: count, dOut: dim })
  return Float64Array.from(products, (value) => value / count)
}

function meanOf(rows: readonly Float32Array[]): Float32Array {
  const sums = new Float64Array(rows[0]!.length)
  for (const row of rows) for (let i = 0; i < row.length; i++) sums[i]! += row[i]!
  return Float32Array.from(sums, (sum) => sum / rows.length)
}

const subtract = (row: Float32Array, mean: Float32Array): Float32Array =>
  row.map((value, i) => value - mean[i]!)

function transpose(matrix: Float32Array, dim: number): Float32Array {
  const out = new Float32Array(matrix.length)
  for (let i = 0; i < dim; i++)
    for (let j = 0; j < dim; j++) out[j * dim + i] = matrix[i * dim + j]!
  return out
}
