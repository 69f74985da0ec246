// Vector batches: the vectors that an embed-worker hands to the writer. A batch is immutable and
// self-contained, and a sha256 at the end covers the whole batch. The head has a sha256 too,
// because it is also read alone.
import { z } from 'zod'
import { sha256Of } from '@likeness/shared/data/sha256'
import { appError, isAppError } from '../errors.ts'
import { otherFormat, readText } from './checked-object.ts'
import { boxSchema } from './embedder.ts'
import { itemFailureSchema, storedMetadataSchema } from './item-list.ts'
import { fromStored, toStored } from './stored-names.ts'
import { isSparse, rowBytes, rowCount, sparseProblem, type VectorRows } from './vector-rows.ts'

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

export const batchHeaderSchema = z
  .strictObject({
    incarnation: z.string(),
    ingestion: z.string(),
    embeddingVersion: z.string(),
    dim: z.number().int().min(1),
    /** 0 when raw vectors are not kept. */
    rawDim: z.number().int().min(0),
    /** Number of entries of all rows, when the rows are sparse. */
    nonZeros: z.number().int().min(0).optional(),
    items: z.array(batchItemSchema)
  })
  .transform(fromStored)
export type BatchHeader = z.infer<typeof batchHeaderSchema>

export interface VectorBatch {
  header: BatchHeader
  /** Vectors after the profile. */
  vectors: VectorRows
  /** Raw vectors before the profile: [rows, rawDim] IEEE half precision. */
  raw: Uint16Array
  /** Byte of the object at which the raw vectors begin. Set only in a batch that was read. */
  rawAt?: number
}

const magic = Buffer.from('LKVB')
const version = 1
const headBytes = 12
const digestBytes = 32
const align8 = (n: number): number => (n + 7) & ~7
const vectorsStart = (jsonBytes: number): number => align8(headBytes + jsonBytes + digestBytes)
const digestOf = (bytes: Uint8Array): Buffer => sha256Of(bytes)

export const countRows = (items: readonly BatchItem[]): number =>
  items.reduce((sum, item) => sum + item.rows.length, 0)

export function encodeVectorBatch({ header, vectors, raw }: VectorBatch): Uint8Array {
  const rows = countRows(header.items)
  if (rowCount(vectors, header.dim) !== rows || raw.length !== rows * header.rawDim) {
    throw appError(
      'internal',
      `batch of ${rows} rows has ${rowCount(vectors, header.dim)} vectors and ${raw.length} raw values`
    )
  }
  const json = Buffer.from(
    JSON.stringify({
      ...toStored(header),
      ...(isSparse(vectors) && { nonZeros: vectors.values.length })
    })
  )
  const vectorsAt = vectorsStart(json.length)
  const rawAt = vectorsAt + rowBytes(vectors)
  const body = Buffer.alloc(rawAt + raw.byteLength + digestBytes)
  magic.copy(body, 0)
  body.writeUInt32LE(version, 4)
  body.writeUInt32LE(json.length, 8)
  json.copy(body, headBytes)
  const headEnd = headBytes + json.length
  digestOf(body.subarray(0, headEnd)).copy(body, headEnd)
  let at = vectorsAt
  for (const part of isSparse(vectors)
    ? [vectors.offsets, vectors.indices, vectors.values]
    : [vectors]) {
    body.set(new Uint8Array(part.buffer, part.byteOffset, part.byteLength), at)
    at += part.byteLength
  }
  body.set(new Uint8Array(raw.buffer, raw.byteOffset, raw.byteLength), rawAt)
  const digestAt = body.length - digestBytes
  digestOf(body.subarray(0, digestAt)).copy(body, digestAt)
  return body
}

/** Throws data_corrupt unless the bytes are a whole, unaltered batch. */
export function decodeVectorBatch(bytes: Uint8Array): VectorBatch {
  // Copies to offset 0: typed array views need an alignment that a pooled Buffer does not have.
  const body = Buffer.from(new Uint8Array(bytes).buffer)
  if (body.length < headBytes + digestBytes || !body.subarray(0, 4).equals(magic))
    throw appError('data_corrupt', 'not a vector batch')
  if (body.readUInt32LE(4) !== version)
    throw otherFormat('a vector batch', body.readUInt32LE(4), version)
  const digestAt = body.length - digestBytes
  if (!digestOf(body.subarray(0, digestAt)).equals(body.subarray(digestAt)))
    throw appError('data_corrupt', 'vector batch does not match its checksum')
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
    vectors: readVectors(body.buffer, vectorsAt, header, rows),
    raw: new Uint16Array(body.buffer, rawAt, rows * header.rawDim),
    rawAt
  }
}

function readVectors(
  buffer: ArrayBuffer,
  at: number,
  { dim, nonZeros }: BatchHeader,
  rows: number
): VectorRows {
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

function parseHeader(body: Buffer, jsonBytes: number): BatchHeader {
  const text = body.toString('utf8', headBytes, headBytes + jsonBytes)
  return readText(batchHeaderSchema, 'the header of a vector batch', text)
}

/**
 * Returns the ordinals of the items in a batch, read from its first bytes only. Returns undefined
 * when `head` is too short or damaged; then the caller reads the whole batch.
 */
export function peekBatchItems(head: Uint8Array): number[] | undefined {
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
    return parseHeader(body, jsonBytes).items.map((item) => item.ordinal)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}
