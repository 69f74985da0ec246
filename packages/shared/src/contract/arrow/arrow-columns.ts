// The columns of an Arrow body of vectors: which there may be, and of which type. They are named as
// the fields of a line of vectors; `vector` is a row, `vectors` a list of rows.
import type { DataType, Dictionary, Field, Schema } from 'apache-arrow'
import { Precision, Type } from 'apache-arrow/enum'
import { appError } from '../../errors.ts'
import { arrowProblem } from './check-message.ts'

const textTypes: readonly Type[] = [Type.Utf8, Type.LargeUtf8]
const listTypes: readonly Type[] = [Type.FixedSizeList, Type.List, Type.LargeList]
const numberTypes: readonly Type[] = [Type.Int, Type.Float]
const scalarTypes: readonly Type[] = [...textTypes, ...numberTypes, Type.Bool, Type.Null]

const isText = ({ typeId }: DataType): boolean => textTypes.includes(typeId)
const isNumber = ({ typeId }: DataType): boolean => numberTypes.includes(typeId)
const isTextOrDictionary = (type: DataType): boolean =>
  isText(type) || (type.typeId === Type.Dictionary && isText((type as Dictionary).dictionary))
const isMetadata = (type: DataType): boolean =>
  isText(type) ||
  (type.typeId === Type.Struct &&
    type.children.every((field) => scalarTypes.includes((field as Field).type.typeId)))
const isRow = (type: DataType): boolean =>
  listTypes.includes(type.typeId) && type.children[0]?.type.typeId === Type.Float
const isRows = (type: DataType): boolean =>
  listTypes.includes(type.typeId) && isRow(type.children[0]!.type)

interface Column {
  takes: (type: DataType) => boolean
  /** Name of the types, for an error. */
  types: string
}
const columns: Record<string, Column> = {
  id: { takes: isTextOrDictionary, types: 'string' },
  label: { takes: isTextOrDictionary, types: 'string' },
  metadata: {
    takes: isMetadata,
    types: 'a string of JSON, or a struct of texts, numbers and bools'
  },
  width: { takes: isNumber, types: 'a number' },
  height: { takes: isNumber, types: 'a number' },
  rows: { takes: isText, types: 'a string of JSON' },
  vector: { takes: isRow, types: 'a list of float, fixed_size_list or list' },
  vectors: { takes: isRows, types: 'a list of lists of float' }
}

/** Refuses a body as a whole: a fault of a column is one of every row. */
export function checkColumns({ fields }: Schema, dim: number): void {
  const seen = new Set<string>()
  for (const { name, type } of fields) {
    const column = Object.hasOwn(columns, name) ? columns[name] : undefined
    if (column === undefined)
      throw arrowProblem(
        `there is no column ${JSON.stringify(name.slice(0, 64))}: the columns are ${Object.keys(columns).join(', ')}`
      )
    if (seen.has(name)) throw arrowProblem(`the column ${name} is there twice`)
    seen.add(name)
    if (!column.takes(type))
      throw arrowProblem(`the column ${name} is ${column.types}, not ${type}`)
    if (name === 'vector') checkSize(type, dim)
    if (name === 'vectors') checkSize(type.children[0]!.type, dim)
  }
  if (!seen.has('id')) throw arrowProblem('the column id is missing')
  if (seen.has('vector') === seen.has('vectors'))
    throw arrowProblem('exactly one of the columns vector and vectors is needed')
}

function checkSize(type: DataType, dim: number): void {
  const { listSize = dim } = type as { listSize?: number }
  if (listSize !== dim)
    throw appError(
      'dimension_mismatch',
      `Arrow: the vectors have ${listSize} values, the collection ${dim}`,
      { detail: { given: listSize, expected: dim } }
    )
}

export const isHalf = (type: DataType): boolean =>
  (type as { precision?: Precision }).precision === Precision.HALF
