// Reads single values of Arrow columns. A batch is checked once: offsets ascend and stay inside of
// their values, so that all values together cost no more than the bytes of the batch.
import type { Data } from 'apache-arrow'
import { Type } from 'apache-arrow/enum'
import { appError } from '../../errors.ts'
import { fromFloat16 } from '../../data/float16.ts'
import { decodeUtf8 } from '../../data/text-encoding.ts'
import { isHalf } from './arrow-columns.ts'
import { arrowProblem } from './check-message.ts'

type Values = ArrayLike<number> & { subarray(first: number, end: number): ArrayLike<number> }

export const isNull = ({ nullCount, nullBitmap }: Data, i: number): boolean =>
  nullCount > 0 && (((nullBitmap as Uint8Array)[i >> 3] ?? 0) & (1 << (i & 7))) === 0

const lengthOf = (values: unknown): number =>
  (values as ArrayLike<unknown> | undefined)?.length ?? 0

/** Checks a column of `count` values and the columns inside. */
export function checkData(data: Data, count: number, name: string): void {
  if (data.length < count) throw arrowProblem(`the column ${name} has fewer values than rows`)
  const { typeId } = data.type
  if (data.nullCount > 0 && lengthOf(data.nullBitmap) * 8 < count)
    throw arrowProblem(`the column ${name} does not say which values are null`)
  if (typeId === Type.FixedSizeList)
    return checkData(data.children[0]!, rangeOf(data, count)[0], name)
  if (typeId === Type.Struct) return data.children.forEach((child) => checkData(child, count, name))
  if (typeId === Type.List || typeId === Type.LargeList)
    return checkData(data.children[0]!, checkOffsets(data, count, name), name)
  if (typeId === Type.Utf8 || typeId === Type.LargeUtf8) {
    if (checkOffsets(data, count, name) > lengthOf(data.values))
      throw arrowProblem(`the column ${name} has offsets outside of its data`)
    return
  }
  if (typeId === Type.Dictionary) {
    const [values] = data.dictionary?.data ?? []
    if (values === undefined) throw arrowProblem(`the dictionary of the column ${name} is missing`)
    checkData(values, values.length, name)
  }
  const width = typeId === Type.Bool ? 1 / 8 : 1
  if (typeId !== Type.Null && lengthOf(data.values) < count * width)
    throw arrowProblem(`the column ${name} has fewer values than rows`)
}

const offsetAt = (data: Data, i: number): number =>
  Number((data.valueOffsets as ArrayLike<number | bigint>)[i])

/** Returns the last offset. */
function checkOffsets(data: Data, count: number, name: string): number {
  if (count === 0) return 0
  if (lengthOf(data.valueOffsets) <= count)
    throw arrowProblem(`the column ${name} has fewer offsets than rows`)
  let last = 0
  for (let i = 0; i <= count; i++) {
    const at = offsetAt(data, i)
    if (at < last) throw arrowProblem(`the column ${name} has offsets that are not ascending`)
    last = at
  }
  return last
}

/** Returns undefined for null. invalid_request for bytes that are not UTF-8. */
export function textAt(data: Data, i: number): string | undefined {
  if (isNull(data, i)) return undefined
  if (data.type.typeId === Type.Dictionary) {
    const values = data.dictionary!.data[0]!
    const at = Number((data.values as ArrayLike<number | bigint>)[i])
    if (!(at >= 0 && at < values.length))
      throw appError('invalid_request', `the dictionary has no value ${at}`)
    return textAt(values, at)
  }
  const [first, end] = [offsetAt(data, i), offsetAt(data, i + 1)]
  const text = decodeUtf8((data.values as Uint8Array).subarray(first, end))
  if (text === undefined) throw appError('invalid_request', 'a text is not UTF-8')
  return text
}

/** A whole number that a double cannot hold comes as a bigint. */
export function scalarAt(data: Data, i: number): string | number | bigint | boolean | undefined {
  if (isNull(data, i)) return undefined
  const { type } = data
  const kind = type.typeId as Type
  if (kind === Type.Utf8 || kind === Type.LargeUtf8) return textAt(data, i)
  if (kind === Type.Null) return undefined
  if (kind === Type.Bool) return ((data.values as Uint8Array)[i >> 3]! & (1 << (i & 7))) !== 0
  const value = isHalf(type)
    ? fromFloat16((data.values as Uint16Array).subarray(i, i + 1))[0]!
    : (data.values as ArrayLike<number | bigint>)[i]!
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value
}

/** First and last place of the list `i` in the column inside. */
function rangeOf(data: Data, i: number): [first: number, end: number] {
  const { listSize } = data.type as { listSize?: number }
  return listSize === undefined
    ? [offsetAt(data, i), offsetAt(data, i + 1)]
    : [i * listSize, (i + 1) * listSize]
}

/** A vector of a list of floats. invalid_vector for null, and for a null inside. */
export function vectorAt(data: Data, i: number): ArrayLike<number> {
  const [first, end] = rangeOf(data, i)
  const [child] = data.children as [Data]
  let isWhole = !isNull(data, i)
  if (child.nullCount > 0) for (let at = first; at < end; at++) isWhole &&= !isNull(child, at)
  if (!isWhole) throw appError('invalid_vector', 'the vector, or a value of it, is null')
  const values = (child.values as Values).subarray(first, end)
  return isHalf(child.type) ? fromFloat16(values as Uint16Array) : values
}

export function vectorsAt(data: Data, i: number): ArrayLike<number>[] {
  if (isNull(data, i)) throw appError('invalid_vector', 'the vectors are null')
  const [first, end] = rangeOf(data, i)
  const [child] = data.children as [Data]
  return Array.from({ length: end - first }, (_, n) => vectorAt(child, first + n))
}
