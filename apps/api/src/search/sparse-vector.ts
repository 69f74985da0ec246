// Checks a client's sparse vector, sorts by index, drops zeros, and scales to unit length.
import { maxNonZeros } from '@likeness/shared/contract/http/vectors'
import {
  sparseRow,
  type SparseRows,
  type SparseVector
} from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'

/**
 * A squared length this close to 1 counts as unit length, so that returned vectors come back
 * unchanged.
 */
const unitSlack = 2.5e-7

/**
 * Parses a row. invalid_vector, or dimension_mismatch for an index that the collection does not
 * have.
 */
export function parseSparseVector({ indices, values }: SparseVector, dim: number): SparseRows {
  if (indices.length !== values.length)
    throw appError('invalid_vector', `${indices.length} indices for ${values.length} values`)
  const stray = indices.find((index) => !Number.isInteger(index) || index < 0)
  if (stray !== undefined)
    throw appError('invalid_vector', `the index ${stray} is not a whole number from 0 on`)
  const beyond = indices.find((index) => index >= dim)
  if (beyond !== undefined)
    throw appError('dimension_mismatch', `the index ${beyond} is not below ${dim}`, {
      detail: { given: beyond, expected: dim }
    })
  if (!values.every((value) => Number.isFinite(Math.fround(value))))
    throw appError('invalid_vector', 'values are finite 32-bit numbers')
  const entries = Array.from(indices, (index, i) => ({
    index,
    value: Math.fround(values[i]!)
  })).sort((a, b) => a.index - b.index)
  const twice = entries.find(({ index }, i) => index === entries[i + 1]?.index)
  if (twice !== undefined)
    throw appError('invalid_vector', `the index ${twice.index} is there twice`)
  return unitRow(entries.filter(({ value }) => value !== 0))
}

function unitRow(entries: readonly { index: number; value: number }[]): SparseRows {
  if (entries.length === 0)
    throw appError(
      'invalid_vector',
      'a vector without a value that is not zero has no direction to compare'
    )
  if (entries.length > maxNonZeros)
    throw appError(
      'invalid_vector',
      `${entries.length} values that are not zero; there are at most ${maxNonZeros}`
    )
  const squares = entries.reduce((sum, { value }) => sum + value * value, 0)
  const norm = Math.abs(squares - 1) <= unitSlack ? 1 : Math.sqrt(squares)
  return sparseRow({
    indices: entries.map(({ index }) => index),
    values: entries.map(({ value }) => value / norm)
  })
}
