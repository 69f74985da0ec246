// Vector batches: the vectors that an embed-worker hands to the writer. A batch is immutable and
// self-contained, and a sha256 at the end covers the whole batch. The head has a sha256 too,
// because it is also read alone. Format 1 has items of one ingestion. Format 2 is a shared batch: it
// has items of many small ingestions.
import { z } from 'zod'
import { sha256Of } from '@likeness/shared/data/sha256'
import { appError, isAppError } from '../errors.ts'
import { otherFormat, readText, readValue } from './checked-object.ts'
import { boxSchema } from './embedder.ts'
import { itemFailureSchema, storedMetadataSchema } from './item-list.ts'
import { isPlainItem } from './plain-batch-item.ts'
import { fromStored, toStored } from './stored-names.ts'
import { isSparse, rowCount, sparseProblem, type VectorRows } from './vector-rows.ts'

export const rowKinds = ['subject', 'whole', 'view'] as const
export const batchRowSchema = z.strictObject({
  kind: z.enum(rowKinds),
  box: boxSchema,
  /** Detector score; 1 for whole and view. */
  score: z.number(),
  className: z.string().nullable()
})
export type BatchRow = z.infer<typeof batchRowSchema>

export const batchItemSchema = z.strictObject({
  ordinal: z.number().int().min(0),
  id: z.string(),
  label: z.string().nullable(),
  metadata: storedMetadataSchema.optional(),
  imageKey: z.string().nullable(),
  line: z.number().int().optional(),
  width: z.number().optional(),
  height: z.number().optional(),
  /** In the order of the vectors. Empty when the item failed. */
  rows: z.array(batchRowSchema),
  failure: itemFailureSchema.optional(),
  /** Without meaning: version 0.1.0 wrote it when a snapshot became a new collection. */
  raws: z.unknown().optional()
})
export type BatchItem = z.infer<typeof batchItemSchema>

const headerFields = {
  incarnation: z.string(),
  embeddingVersion: z.string(),
  dim: z.number().int().min(1),
  /** 0 when raw vectors are not kept. */
  rawDim: z.number().int().min(0),
  /** Number of entries of all rows, when the rows are sparse. */
  nonZeros: z.number().int().min(0).optional()
}
const ownHeaderSchema = z
  .strictObject({ ...headerFields, ingestion: z.string(), items: z.array(batchItemSchema) })
  .transform(fromStored)
/** The rows go over the parts in their order. */
const sharedHeaderSchema = z
  .strictObject({
    ...headerFields,
    parts: z.array(
      z.strictObject({
        ingestion: z.string(),
        /** Revision of the ingestion: the writer must have applied its log slot. */
        revision: z.number().int(),
        items: z.array(batchItemSchema)
      })
    )
  })
  .transform(fromStored)

/** Header of a batch with items of one ingestion. */
export type BatchHeader = z.infer<typeof ownHeaderSchema>
/** Items of one ingestion in a shared batch, by their number: they follow each other. */
export interface BatchPart {
  ingestion: string
  revision: number
  items: number
}
/** Header of a shared batch. `items`: those of all parts. */
export interface SharedBatchHeader extends Omit<BatchHeader, 'ingestion'> {
  parts: BatchPart[]
}
export const isShared = (header: BatchHeader | SharedBatchHeader): header is SharedBatchHeader =>
  'parts' in header

export interface VectorBatch<H = BatchHeader | SharedBatchHeader> {
  header: H
  /** Vectors after the profile. */
  vectors: VectorRows
  /** Raw vectors before the profile: [rows, rawDim] IEEE half precision. */
  raw: Uint16Array
  /** Byte of the object at which the raw vectors begin. Set only in a batch that was read. */
  rawAt?: number
}

const magic = Buffer.from('LKVB')
const ownVersion = 1
const sharedVersion = 2
const headBytes = 12
const digestBytes = 32
const align8 = (n: number): number => (n + 7) & ~7
const vectorsStart = (jsonBytes: number): number => align8(headBytes + jsonBytes + digestBytes)
const digestOf = (bytes: Uint8Array): Buffer => sha256Of(bytes)

export const countRows = (items: readonly BatchItem[]): number =>
  items.reduce((sum, item) => sum + item.rows.length, 0)

/** A batch to write; dense rows may come in parts, which lie one after another in it. */
export interface WrittenBatch extends Pick<VectorBatch, 'header' | 'raw'> {
  vectors: VectorRows | readonly Float32Array[]
}

const columnsOf = (vectors: WrittenBatch['vectors']): readonly (Float32Array | Uint32Array)[] => {
  if (Array.isArray(vectors)) return vectors as readonly Float32Array[]
  const rows = vectors as VectorRows
  return isSparse(rows) ? [rows.offsets, rows.indices, rows.values] : [rows]
}

export function encodeVectorBatch({ header, vectors, raw }: WrittenBatch): Uint8Array {
  const rows = countRows(header.items)
  const columns = columnsOf(vectors)
  const vectorBytes = columns.reduce((sum, { byteLength }) => sum + byteLength, 0)
  const sparse = 'offsets' in vectors ? vectors : undefined
  const given = sparse === undefined ? vectorBytes / 4 / header.dim : rowCount(sparse, header.dim)
  if (given !== rows || raw.length !== rows * header.rawDim) {
    throw appError(
      'internal',
      `batch of ${rows} rows has ${given} vectors and ${raw.length} raw values`
    )
  }
  const json = Buffer.from(
    JSON.stringify({
      ...storedHeader(header),
      ...(sparse !== undefined && { nonZeros: sparse.values.length })
    })
  )
  const vectorsAt = vectorsStart(json.length)
  const rawAt = vectorsAt + vectorBytes
  const body = Buffer.allocUnsafeSlow(rawAt + raw.byteLength + digestBytes)
  magic.copy(body, 0)
  body.writeUInt32LE(isShared(header) ? sharedVersion : ownVersion, 4)
  body.writeUInt32LE(json.length, 8)
  json.copy(body, headBytes)
  const headEnd = headBytes + json.length
  digestOf(body.subarray(0, headEnd)).copy(body, headEnd)
  body.fill(0, headEnd + digestBytes, vectorsAt)
  let at = vectorsAt
  for (const { buffer, byteOffset, byteLength } of columns) {
    body.set(new Uint8Array(buffer, byteOffset, byteLength), at)
    at += byteLength
  }
  body.set(new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength), rawAt)
  const digestAt = body.length - digestBytes
  digestOf(body.subarray(0, digestAt)).copy(body, digestAt)
  return body
}

function storedHeader(header: VectorBatch['header']) {
  if (!isShared(header)) return toStored(header)
  const { items: _items, ...rest } = toStored(header)
  return { ...rest, parts: partsOf(header) }
}

/** A part of a shared batch with its items. */
export interface PartItems {
  ingestion: string
  revision: number
  items: BatchItem[]
}
export function partsOf({ parts, items }: SharedBatchHeader): PartItems[] {
  let end = 0
  return parts.map((part) => ({ ...part, items: items.slice(end, (end += part.items)) }))
}

/** Typed array views need an alignment that a pooled Buffer does not have. */
function aligned(bytes: Uint8Array): Buffer<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } =
    bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes)
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength)
}

/**
 * Throws data_corrupt unless the bytes are a whole, unaltered batch. The vectors may be views of
 * `bytes`.
 */
export function decodeVectorBatch(bytes: Uint8Array): VectorBatch {
  const body = aligned(bytes)
  if (body.length < headBytes + digestBytes || !body.subarray(0, 4).equals(magic))
    throw appError('data_corrupt', 'not a vector batch')
  const digestAt = body.length - digestBytes
  if (!digestOf(body.subarray(0, digestAt)).equals(body.subarray(digestAt)))
    throw appError('data_corrupt', 'vector batch does not match its checksum')
  const version = body.readUInt32LE(4)
  if (version !== ownVersion && version !== sharedVersion)
    throw otherFormat('a vector batch', version, sharedVersion)
  const jsonBytes = body.readUInt32LE(8)
  const header = parseHeader(body, jsonBytes)
  const rows = countRows(header.items)
  const vectorsAt = vectorsStart(jsonBytes)
  const rawAt =
    vectorsAt +
    4 * (header.nonZeros === undefined ? rows * header.dim : rows + 1 + 2 * header.nonZeros)
  if (rawAt + rows * header.rawDim * 2 !== digestAt)
    throw appError('data_corrupt', 'vector batch sizes do not add up')
  return {
    header,
    vectors: readVectors(body, vectorsAt, header, rows),
    raw: new Uint16Array(body.buffer, body.byteOffset + rawAt, rows * header.rawDim),
    rawAt
  }
}

function readVectors(
  { buffer, byteOffset }: Buffer<ArrayBuffer>,
  offset: number,
  { dim, nonZeros }: VectorBatch['header'],
  rows: number
): VectorRows {
  const at = byteOffset + offset
  if (nonZeros === undefined) return new Float32Array(buffer, at, rows * dim)
  const indicesAt = at + 4 * (rows + 1)
  const sparse = {
    offsets: new Uint32Array(buffer, at, rows + 1),
    indices: new Uint32Array(buffer, indicesAt, nonZeros),
    values: new Float32Array(buffer, indicesAt + 4 * nonZeros, nonZeros)
  }
  const problem = sparseProblem(sparse, dim)
  if (problem !== undefined) throw appError('data_corrupt', `vector batch: ${problem}`)
  return sparse
}

/** `items` of the stored header, where none of them is unusual: their schema takes long. */
function plainItems(items: unknown): BatchItem[] | undefined {
  return Array.isArray(items) && items.every(isPlainItem) ? (items as BatchItem[]) : undefined
}

function parseHeader(body: Buffer, jsonBytes: number): VectorBatch['header'] {
  const name = 'the header of a vector batch'
  const text = body.toString('utf8', headBytes, headBytes + jsonBytes)
  if (body.readUInt32LE(4) === sharedVersion) {
    const { parts, ...rest } = readText(sharedHeaderSchema, name, text)
    return {
      ...rest,
      items: parts.flatMap(({ items }) => items),
      parts: parts.map(({ items, ...part }) => ({ ...part, items: items.length }))
    }
  }
  const value = readText(z.unknown(), name, text)
  const items = plainItems((value as { items?: unknown } | null)?.items)
  if (items === undefined) return readValue(ownHeaderSchema, name, value)
  return { ...readValue(ownHeaderSchema, name, { ...(value as object), items: [] }), items }
}

/**
 * Returns the header of a batch, read from its first bytes only. Returns undefined when `head` is too
 * short or damaged; then the caller reads the whole batch.
 */
export function peekBatchHeader(head: Uint8Array): VectorBatch['header'] | undefined {
  const body = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  if (body.length < headBytes || !body.subarray(0, 4).equals(magic)) return undefined
  const jsonBytes = body.readUInt32LE(8)
  const headEnd = headBytes + jsonBytes
  if (
    body.length < headEnd + digestBytes ||
    digestOf(body.subarray(0, headEnd)).compare(body, headEnd, headEnd + digestBytes) !== 0
  )
    return undefined
  try {
    return parseHeader(body, jsonBytes)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}

/** Returns the ordinals of the items in a batch of one ingestion, as peekBatchHeader does. */
export const peekBatchItems = (head: Uint8Array): number[] | undefined =>
  peekBatchHeader(head)?.items.map((item) => item.ordinal)
