// Checks of the arguments for the addon: counts, lengths and element types.
import { FaissError, invalidArgument } from './faiss-error.ts'

/** Most results (nq x k) of one call. The arrays take 8 bytes per result. */
export const maxResults = 2 ** 28
export const maxRows = 2 ** 31 - 1
const maxDim = 65_536

export function requireInteger(name: string, value: number, min: number, max: number): void {
  if (Number.isInteger(value) && value >= min && value <= max) return
  throw invalidArgument(`${name} must be an integer from ${min} to ${max}, not ${value}`)
}

export function requireDim(dim: number): void {
  requireInteger('dim', dim, 1, maxDim)
}

export type Rows = Float32Array | Uint8Array

/**
 * Returns the number of rows in a flat array whose rows have `rowLength` elements. The array must
 * have the type of `like`.
 */
export function countRows(
  name: string,
  rows: Rows,
  rowLength: number,
  like: Rows = new Float32Array(0)
): number {
  requireArray(name, rows, like instanceof Uint8Array ? Uint8Array : Float32Array)
  if (rows.length % rowLength !== 0) {
    throw new FaissError(
      'dimension_mismatch',
      `${name} has ${rows.length} elements, not a multiple of ${rowLength}`
    )
  }
  return rows.length / rowLength
}

type TypedArrayClass =
  | typeof Float32Array
  | typeof Float64Array
  | typeof Int32Array
  | typeof Uint8Array

export function requireArray(name: string, value: unknown, type: TypedArrayClass): void {
  if (!(value instanceof type)) throw invalidArgument(`${name} must be a ${type.name}`)
}

export function requireResultSize(queries: number, k: number): void {
  requireInteger('k', k, 1, maxResults)
  if (queries * k > maxResults)
    throw invalidArgument(`${queries} queries x k ${k} is more than ${maxResults} results`)
}

export function requirePath(path: string): void {
  if (typeof path !== 'string' || path === '' || path.includes('\0'))
    throw invalidArgument('path must be a file name')
}
