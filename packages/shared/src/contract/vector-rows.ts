// Rows of vectors on their way from an embedder or a client to an index and back. Dense rows are
// f32 [rows, dim]; sparse rows list only the values that are not zero.
import { concatArrays } from '../data/concat-arrays.ts'
import { appError } from '../errors.ts'

/**
 * Row i has the entries offsets[i] to offsets[i + 1]: indices, ascending and each only once, and
 * their values.
 */
export interface SparseRows {
  /** [rows + 1], from 0. */
  offsets: Uint32Array
  indices: Uint32Array
  values: Float32Array
}
export type VectorRows = Float32Array | SparseRows

/** A single row, as clients write it. */
export interface SparseVector {
  indices: readonly number[]
  values: readonly number[]
}

export const isSparse = (rows: VectorRows): rows is SparseRows => !(rows instanceof Float32Array)

/** Returns the rows where only dense rows are possible. */
export function denseRows(rows: VectorRows): Float32Array {
  if (isSparse(rows)) throw appError('internal', 'sparse rows where dense ones are needed')
  return rows
}

export const rowCount = (rows: VectorRows, dim: number): number =>
  isSparse(rows) ? rows.offsets.length - 1 : rows.length / dim
export const rowBytes = (rows: VectorRows): number =>
  isSparse(rows)
    ? rows.offsets.byteLength + rows.indices.byteLength + rows.values.byteLength
    : rows.byteLength

/** Returns the rows first to end - 1. The values are views of the original arrays. */
export function rowsBetween(rows: VectorRows, dim: number, first: number, end: number): VectorRows {
  if (!isSparse(rows)) return rows.subarray(first * dim, end * dim)
  const [from, to] = [rows.offsets[first]!, rows.offsets[end]!]
  return {
    offsets: rows.offsets.subarray(first, end + 1).map((at) => at - from),
    indices: rows.indices.subarray(from, to),
    values: rows.values.subarray(from, to)
  }
}

export const copyRows = (rows: VectorRows): VectorRows =>
  isSparse(rows)
    ? { offsets: rows.offsets.slice(), indices: rows.indices.slice(), values: rows.values.slice() }
    : rows.slice()

/** Joins rows that are all dense or all sparse. An empty list gives empty dense rows. */
export function joinRows(parts: readonly VectorRows[]): VectorRows {
  const sparse = parts.filter(isSparse)
  if (sparse.length > 0) return joinSparse(sparse)
  return concatArrays(Float32Array, parts.map(denseRows))
}

export function joinSparse(parts: readonly SparseRows[]): SparseRows {
  const rows = parts.reduce((sum, { offsets }) => sum + offsets.length - 1, 0)
  const entries = parts.reduce((sum, { values }) => sum + values.length, 0)
  const out = {
    offsets: new Uint32Array(rows + 1),
    indices: new Uint32Array(entries),
    values: new Float32Array(entries)
  }
  let row = 0
  let at = 0
  for (const { offsets, indices, values } of parts) {
    for (let i = 1; i < offsets.length; i++) out.offsets[++row] = at + offsets[i]!
    out.indices.set(indices, at)
    out.values.set(values, at)
    at += values.length
  }
  return out
}

/** Rows of one vector whose indices are ascending. */
export const sparseRow = ({ indices, values }: SparseVector): SparseRows => ({
  offsets: Uint32Array.of(0, indices.length),
  indices: Uint32Array.from(indices),
  values: Float32Array.from(values)
})

export function* sparseVectors({
  offsets,
  indices,
  values
}: SparseRows): Generator<{ indices: number[]; values: number[] }> {
  for (let row = 0; row + 1 < offsets.length; row++) {
    const [from, to] = [offsets[row]!, offsets[row + 1]!]
    yield { indices: [...indices.subarray(from, to)], values: [...values.subarray(from, to)] }
  }
}

/**
 * A loop: `every` takes twenty times as long, and each vector is checked at each reading. Four sums
 * side by side, because one alone waits for the addition before.
 */
export function allFinite(values: ArrayLike<number>): boolean {
  let a = 0
  let b = 0
  let c = 0
  let d = 0
  let i = 0
  const fours = values.length - (values.length % 4)
  // Infinity and NaN times 0 is NaN, which stays.
  for (; i < fours; i += 4) {
    a += values[i]! * 0
    b += values[i + 1]! * 0
    c += values[i + 2]! * 0
    d += values[i + 3]! * 0
  }
  for (; i < values.length; i++) a += values[i]! * 0
  return a + b + c + d === 0
}

/** Returns the reason why dense rows are invalid, or undefined. */
export const denseProblem = (values: Float32Array): string | undefined =>
  allFinite(values) ? undefined : 'one has a value that is not a number'

/**
 * Returns the reason why these cannot be rows of a collection whose indices are below `dim`, or
 * undefined.
 */
export function sparseProblem(
  { offsets, indices, values }: SparseRows,
  dim: number
): string | undefined {
  if (offsets[0] !== 0 || offsets.at(-1) !== values.length || indices.length !== values.length)
    return 'rows do not begin and end where the values do'
  for (let row = 0; row + 1 < offsets.length; row++) {
    const [from, to] = [offsets[row]!, offsets[row + 1]!]
    if (to <= from) return `row ${row} has no values`
    for (let i = from; i < to; i++) {
      if (i > from && indices[i]! <= indices[i - 1]!)
        return `row ${row} has indices that are not ascending`
      if (!Number.isFinite(values[i])) return `row ${row} has a value that is not a number`
    }
    if (indices[to - 1]! >= dim)
      return `row ${row} has the index ${indices[to - 1]}, and they are below ${dim}`
  }
  return undefined
}
