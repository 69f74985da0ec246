// Items with vectors of an Arrow IPC body, stream or file format, row by row.
import type { Data, RecordBatch } from 'apache-arrow'
import { Type } from 'apache-arrow/enum'
import { appError, isAppError } from '../../errors.ts'
import { beyondLimit, maxVectorLines } from '../limits.ts'
import { checkData, isNull, scalarAt, textAt, vectorAt, vectorsAt } from './arrow-cells.ts'
import { checkColumns } from './arrow-columns.ts'
import { arrowProblem } from './check-message.ts'
import { type BodyBounds, checkedMessages } from './checked-messages.ts'

type Columns = ReadonlyMap<string, Data>

/** A row of a record batch. Its values are read when they are asked for. */
export class ArrowItem {
  /** Row of the body, from 1. */
  readonly row: number
  private readonly columns: Columns
  private readonly at: number

  constructor(row: number, columns: Columns, at: number) {
    this.row = row
    this.columns = columns
    this.at = at
  }

  /** undefined for null, and for bytes that are not UTF-8. */
  id(): string | undefined {
    return idAt(this.columns.get('id')!, this.at)
  }

  /** Fields of a line of vectors, not checked, without the vectors. Throws for bad text or JSON. */
  fields(): Record<string, unknown> {
    return fieldsAt(this.columns, this.at)
  }

  /** Throws invalid_vector for nulls. The values are views of the record batch. */
  vectors(): ArrayLike<number>[] {
    const one = this.columns.get('vector')
    return one === undefined
      ? vectorsAt(this.columns.get('vectors')!, this.at)
      : [vectorAt(one, this.at)]
  }
}

/**
 * Yields the rows of one record batch at a time. Rejects for a body that is no whole Arrow stream or
 * file of the known columns: invalid_request, dimension_mismatch or too_large. Errors of `chunks`
 * pass unchanged.
 */
export async function* readArrowItems(
  chunks: AsyncIterable<Uint8Array>,
  { dim, ...bounds }: BodyBounds & { dim: number }
): AsyncGenerator<Iterable<ArrowItem>> {
  // The library has some hundred files. A process that reads no Arrow body does without.
  const { RecordBatchReader } = await import('apache-arrow')
  const messages = watched(checkedMessages(chunks, bounds))
  try {
    const reader = await RecordBatchReader.from(messages.bytes)
    await reader.open()
    messages.rethrow()
    if (!reader.schema) throw arrowProblem('there is no schema')
    checkColumns(reader.schema, dim)
    let rows = 0
    for await (const batch of reader as AsyncIterable<RecordBatch>) {
      messages.rethrow()
      if (rows + batch.numRows > maxVectorLines)
        throw beyondLimit('maxVectorLines', rows + batch.numRows)
      if (batch.numRows > 0) yield itemsOf(checkedColumns(batch), rows, batch.numRows)
      rows += batch.numRows
    }
    messages.rethrow()
  } catch (error) {
    messages.rethrow()
    throw isAppError(error) ? error : arrowProblem('the body cannot be read', error)
  } finally {
    await messages.bytes.return(undefined)
  }
}

/** The library ends quietly where its source fails, so the failure is kept here. */
function watched(source: AsyncGenerator<Uint8Array>) {
  let failure: { error: unknown } | undefined
  async function* watch(): AsyncGenerator<Uint8Array> {
    try {
      yield* source
    } catch (error) {
      failure = { error }
    }
  }
  return {
    bytes: watch(),
    rethrow(): void {
      if (failure !== undefined) throw failure.error
    }
  }
}

function checkedColumns(batch: RecordBatch): Columns {
  const columns = new Map(
    batch.schema.fields.map(({ name }, i) => [name, batch.data.children[i]!] as const)
  )
  for (const [name, data] of columns) checkData(data, batch.numRows, name)
  return columns
}

function* itemsOf(columns: Columns, before: number, count: number): Generator<ArrowItem> {
  for (let i = 0; i < count; i++) yield new ArrowItem(before + i + 1, columns, i)
}

function idAt(data: Data, i: number): string | undefined {
  try {
    return textAt(data, i)
  } catch (error) {
    if (isAppError(error)) return undefined
    throw error
  }
}

/** A null is a field that is left out. */
function fieldsAt(columns: Columns, i: number): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [name, data] of columns) {
    if (name === 'vector' || name === 'vectors') continue
    const value = valueAt(name, data, i)
    if (value !== undefined) fields[name] = value
  }
  return fields
}

function valueAt(name: string, data: Data, i: number): unknown {
  switch (name) {
    case 'id':
    case 'label':
      return textAt(data, i)
    case 'metadata':
      return data.type.typeId === Type.Struct ? structAt(data, i) : jsonAt(name, data, i)
    case 'rows':
      return jsonAt(name, data, i)
    default:
      return scalarAt(data, i)
  }
}

function jsonAt(name: string, data: Data, i: number): unknown {
  const text = textAt(data, i)
  if (text === undefined) return undefined
  try {
    return JSON.parse(text)
  } catch (error) {
    throw appError('invalid_request', `${name}: not JSON`, { cause: error })
  }
}

function structAt(data: Data, i: number): Record<string, unknown> | undefined {
  if (isNull(data, i)) return undefined
  const fields = data.type.children
  const entries = data.children.flatMap((child, n): [string, unknown][] => {
    const value = scalarAt(child, i)
    return value === undefined ? [] : [[fields[n]!.name, exact(fields[n]!.name, value)]]
  })
  return entries.length === 0 ? undefined : Object.fromEntries(entries)
}

function exact(name: string, value: unknown): unknown {
  if (typeof value === 'bigint')
    throw appError('invalid_request', `metadata.${name}: ${value} is beyond 2^53: send it as text`)
  return value
}
