// The columns file of a segment. Columns are read one by one: a search loads only the columns that
// it needs.
import { z } from 'zod'
import { otherFormat } from '@likeness/shared/contract/checked-object'
import { appError } from '@likeness/shared/errors'
import type { Codes, Column } from './column.ts'

// Layout, little-endian: 'LKSC' | u32 version | u32 headerBytes | header JSON, padded to 8
//   | columns, each padded to 8:
//       numbers f64 | offsets u32[strings + 1] | items u32, of sparse columns
//       | codes u8, u16 or u32 | text
const magic = Buffer.from('LKSC')
const version = 1
const headBytes = 12

const entrySchema = z.object({
  name: z.string(),
  /** Offset from the first column. */
  at: z.number().int(),
  sizeBytes: z.number().int(),
  numbers: z.number().int(),
  strings: z.number().int(),
  /** Number of codes; with `sparse` also of items. */
  values: z.number().int(),
  sparse: z.boolean(),
  width: z.union([z.literal(1), z.literal(2), z.literal(4)]),
  textBytes: z.number().int()
})
const headerSchema = z.object({
  items: z.number().int(),
  /** False: there are attributes without a column in this file. */
  complete: z.boolean(),
  columns: z.array(entrySchema)
})
type Entry = z.infer<typeof entrySchema>

export interface ColumnSet {
  items: number
  complete: boolean
  columns: ReadonlyMap<string, Column>
}

const align8 = (n: number): number => Math.ceil(n / 8) * 8
const bytesOf = (array: Codes | Float64Array): Uint8Array =>
  new Uint8Array(array.buffer, array.byteOffset, array.byteLength)

function encodeColumn({ items, codes, numbers, offsets, text }: Column): Buffer {
  const parts = [numbers, offsets, items ?? new Uint32Array(0), codes].map(bytesOf)
  const size = parts.reduce((sum, part) => sum + part.length, 0) + text.length
  return Buffer.concat([...parts, text, Buffer.alloc(align8(size) - size)])
}

export function encodeColumns({ items, complete, columns }: ColumnSet): Uint8Array {
  const entries: Entry[] = []
  const bodies: Buffer[] = []
  let at = 0
  for (const [name, column] of columns) {
    const body = encodeColumn(column)
    const { codes, numbers, offsets, text } = column
    const width = codes.BYTES_PER_ELEMENT as Entry['width']
    entries.push({
      name,
      at,
      sizeBytes: body.length,
      numbers: numbers.length,
      strings: offsets.length - 1,
      values: codes.length,
      sparse: column.items !== undefined,
      width,
      textBytes: text.length
    })
    bodies.push(body)
    at += body.length
  }
  const json = Buffer.from(JSON.stringify({ items, complete, columns: entries }))
  const head = Buffer.alloc(align8(headBytes + json.length))
  magic.copy(head)
  head.writeUInt32LE(version, 4)
  head.writeUInt32LE(json.length, 8)
  json.copy(head, headBytes)
  return Buffer.concat([head, ...bodies])
}

function decodeColumn(
  body: Uint8Array,
  { numbers, strings, values, sparse, width, textBytes }: Entry
): Column {
  // Copies to a new buffer at offset 0, because the views need alignment.
  const { buffer } = new Uint8Array(body)
  let at = 0
  const take = (bytes: number): number => {
    at += bytes
    if (at > buffer.byteLength)
      throw appError('data_corrupt', 'a column is shorter than its header says')
    return at - bytes
  }
  const codes = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array }[width]
  return {
    numbers: new Float64Array(buffer, take(8 * numbers), numbers),
    offsets: new Uint32Array(buffer, take(4 * (strings + 1)), strings + 1),
    items: sparse ? new Uint32Array(buffer, take(4 * values), values) : undefined,
    codes: new codes(buffer, take(width * values), values),
    text: Buffer.from(buffer, take(textBytes), textBytes)
  }
}

/** Reads exactly `length` bytes at `offset`. */
export type ReadBytes = (offset: number, length: number) => Promise<Uint8Array>

export interface ColumnFile {
  items: number
  complete: boolean
  names: string[]
  /** Returns undefined when the file has no such column. */
  read(name: string): Promise<Column | undefined>
}

/** Throws data_corrupt when the file is not a columns file of this program. */
export async function openColumnFile(read: ReadBytes): Promise<ColumnFile> {
  const head = Buffer.from(await read(0, headBytes))
  if (!head.subarray(0, 4).equals(magic))
    throw appError('data_corrupt', 'not a columns file of this program')
  if (head.readUInt32LE(4) !== version)
    throw otherFormat('a columns file', head.readUInt32LE(4), version)
  const jsonBytes = head.readUInt32LE(8)
  const parsed = headerSchema.safeParse(
    JSON.parse(Buffer.from(await read(headBytes, jsonBytes)).toString('utf8'))
  )
  if (!parsed.success)
    throw appError('data_corrupt', 'the header of a columns file is not what this program writes', {
      cause: parsed.error
    })
  const { items, complete, columns } = parsed.data
  const entries = new Map(columns.map((entry) => [entry.name, entry]))
  const first = align8(headBytes + jsonBytes)
  return {
    items,
    complete,
    names: [...entries.keys()],
    async read(name) {
      const entry = entries.get(name)
      return entry && decodeColumn(await read(first + entry.at, entry.sizeBytes), entry)
    }
  }
}
