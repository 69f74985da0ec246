// A pack: the arrivals of many batches, as they came. Blocks of some hundred arrivals, each in the
// form of a vector batch without raw vectors; the raw vectors in an object of their own, so that they
// can be dropped; and a directory that says where an arrival is.
import { z } from 'zod'
import { decodeObject, encodeObject } from '@likeness/shared/contract/checked-object'
import {
  type BatchItem,
  countRows,
  decodeVectorBatch,
  encodeVectorBatch,
  type VectorBatch
} from '@likeness/shared/contract/vector-batch'
import { joinRows, rowBytes, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileRef } from '../state/file-ref.ts'
import { readPart } from '../state/read-state.ts'
import type { PackRef } from './base.ts'
import {
  type ArrivalPicture,
  encodePackPictures,
  type PackPictures,
  pictureName,
  rangeOf
} from './picture-names.ts'

const count = z.number().int().min(0)
const blockSchema = z.strictObject({
  at: count,
  bytes: count,
  rawDim: count,
  rawAt: count,
  /** sha256 of the raw vectors of the block. */
  rawSum: z.string(),
  /** Ascending. */
  arrivals: z.array(count),
  /** Revision of each arrival. */
  revisions: z.array(count),
  /** Number of rows of each arrival. Absent in the first packs: the block says it. */
  rows: z.array(count).optional()
})
const directorySchema = z.strictObject({ format: z.literal(1), blocks: z.array(blockSchema) })
export type PackBlock = z.infer<typeof blockSchema>
export type PackDirectory = z.infer<typeof directorySchema>

/** An item as its batch had it. */
export interface Arrival {
  arrival: number
  revision: number
  item: BatchItem
  vectors: VectorRows
  /** f16 [rows, rawDim] */
  raw: Uint16Array
}
/** What all arrivals of a block have in common. */
export interface Origin {
  collectionId: string
  embeddingVersion: string
  dim: number
  rawDim: number
}

const arrivalsOfBlock = 256
const bytesOfBlock = 4 * 1024 * 1024
const bytesOf = ({ vectors, raw }: Arrival): number => rowBytes(vectors) + raw.byteLength

export interface PackFiles {
  put(key: string, body: Uint8Array): Promise<FileRef>
}
/** Keys of the objects of pack `number` of a fold. */
export type PackKeys = (number: number, part: 'items' | 'raw' | 'directory' | 'pictures') => string
export interface PackShape {
  /** Bytes after which a pack ends. */
  packBytes: number
  /** The last arrival of the packs before. */
  after: number
  /** When its arrivals were packed. */
  atMs: number
  /** Prefix of the pictures of the collection. */
  imagePrefix: string
}

/** Collects arrivals in their order, and writes a pack whenever they are enough for one. */
export class PackWriter {
  readonly written: PackRef[] = []
  private readonly files: PackFiles
  private readonly keys: PackKeys
  private readonly shape: PackShape
  private origin: Origin | undefined
  private held: Arrival[] = []
  private heldBytes = 0
  private blocks: PackBlock[] = []
  private items: Uint8Array[] = []
  private raws: Uint8Array[] = []
  private pictures: ArrivalPicture[] = []
  private sizes = { items: 0, raw: 0, rows: 0 }
  private from: number
  private to: number

  constructor(files: PackFiles, keys: PackKeys, shape: PackShape) {
    this.files = files
    this.keys = keys
    this.shape = shape
    this.from = shape.after + 1
    this.to = shape.after
  }

  async add(origin: Origin, arrival: Arrival): Promise<void> {
    if (this.origin !== undefined && !isSame(this.origin, origin)) this.endBlock()
    this.origin = origin
    this.held.push(arrival)
    this.heldBytes += bytesOf(arrival)
    this.to = arrival.arrival
    const name = pictureName(this.shape.imagePrefix, arrival.item.imageKey)
    if (name !== undefined) this.pictures.push({ arrival: arrival.arrival, name })
    const isFull = this.sizes.items + this.sizes.raw + this.heldBytes >= this.shape.packBytes
    if (isFull || this.held.length >= arrivalsOfBlock || this.heldBytes >= bytesOfBlock)
      this.endBlock()
    if (isFull) await this.endPack()
  }

  /** Ends the last pack. It stands for all arrivals up to `last`. */
  async end(last: number): Promise<PackRef[]> {
    this.endBlock()
    this.to = last
    await this.endPack()
    return this.written
  }

  private endBlock(): void {
    const { held, origin, sizes } = this
    if (held.length === 0 || origin === undefined) return
    const { rawDim, ...rest } = origin
    const items = held.map(({ item }) => item)
    const body = encodeVectorBatch({
      // A block holds items of several ingestions. The directory has their revisions.
      header: { ...rest, rawDim: 0, ingestion: '', items },
      vectors: joinRows(held.map(({ vectors }) => vectors)),
      raw: new Uint16Array(0)
    })
    const raw = Buffer.concat(held.map(({ raw: one }) => bytesIn(one)))
    this.blocks.push({
      at: sizes.items,
      bytes: body.byteLength,
      rawDim,
      rawAt: sizes.raw,
      rawSum: sha256Hex(raw),
      arrivals: held.map(({ arrival }) => arrival),
      revisions: held.map(({ revision }) => revision),
      rows: items.map(({ rows }) => rows.length)
    })
    this.items.push(body)
    this.raws.push(raw)
    sizes.items += body.byteLength
    sizes.raw += raw.byteLength
    sizes.rows += countRows(items)
    this.held = []
    this.heldBytes = 0
  }

  private async endPack(): Promise<void> {
    const { blocks, sizes, files, from, to, pictures } = this
    if (blocks.length === 0) return
    const key = (part: Parameters<PackKeys>[1]): string => this.keys(this.written.length, part)
    const directory = encodeObject({ format: 1, blocks } satisfies PackDirectory)
    this.written.push({
      first: from,
      last: to,
      arrivals: blocks.reduce((sum, { arrivals }) => sum + arrivals.length, 0),
      rows: sizes.rows,
      atMs: this.shape.atMs,
      items: await files.put(key('items'), Buffer.concat(this.items)),
      raw: sizes.raw === 0 ? null : await files.put(key('raw'), Buffer.concat(this.raws)),
      directory: await files.put(key('directory'), directory),
      pictures: pictures.length === 0 ? null : await this.putPictures(key('pictures'), pictures)
    })
    this.pictures = []
    this.blocks = []
    this.items = []
    this.raws = []
    this.sizes = { items: 0, raw: 0, rows: 0 }
    this.from = to + 1
  }

  private async putPictures(
    key: string,
    pictures: readonly ArrivalPicture[]
  ): Promise<PackPictures> {
    const file = await this.files.put(key, encodePackPictures(pictures))
    return { ...file, ...rangeOf(pictures.map(({ name }) => name)) }
  }
}

const isSame = (a: Origin, b: Origin): boolean =>
  a.embeddingVersion === b.embeddingVersion && a.dim === b.dim && a.rawDim === b.rawDim

const bytesIn = (numbers: Uint16Array): Uint8Array =>
  new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength)

/** Throws data_corrupt, or object_not_found. */
export async function readDirectory(
  store: ObjectStore,
  { directory }: Pick<PackRef, 'directory'>
): Promise<PackDirectory> {
  return decodeDirectory(directory.key, await readPart(store, directory))
}

/** Throws data_corrupt. */
export const decodeDirectory = (key: string, body: Uint8Array): PackDirectory =>
  decodeObject(directorySchema, key, body)

/**
 * Returns the arrivals of a block, with their raw vectors. `rawAt` is a byte of the object of raw
 * vectors. Throws data_corrupt, or object_not_found.
 */
export async function readBlock(
  store: ObjectStore,
  { items, raw }: Pick<PackRef, 'items' | 'raw'>,
  block: PackBlock
): Promise<VectorBatch> {
  const body = await store.getRange(items.key, block.at, block.bytes)
  if (body === undefined) throw missing(items.key)
  if (body.byteLength !== block.bytes) throw cut(items.key)
  const { header, vectors } = named(items.key, () => decodeVectorBatch(body))
  if (header.items.length !== block.arrivals.length)
    throw appError('data_corrupt', `${items.key} has other arrivals than its directory`)
  return {
    header: { ...header, rawDim: raw === null ? 0 : block.rawDim },
    vectors,
    raw: raw === null ? new Uint16Array(0) : await readRaw(store, raw.key, block, header.items),
    rawAt: block.rawAt
  }
}

async function readRaw(
  store: ObjectStore,
  key: string,
  { rawAt, rawDim, rawSum }: PackBlock,
  items: readonly BatchItem[]
): Promise<Uint16Array> {
  const bytes = 2 * countRows(items) * rawDim
  if (bytes === 0) return new Uint16Array(0)
  const body = await store.getRange(key, rawAt, bytes)
  if (body === undefined) throw missing(key)
  if (sha256Hex(body) !== rawSum)
    throw appError('data_corrupt', `${key} does not match its checksum from byte ${rawAt}`)
  // A copy at offset 0: numbers of two bytes need alignment.
  return new Uint16Array(new Uint8Array(body).buffer)
}

/** A batch does not know its key. */
function named<T>(key: string, decode: () => T): T {
  try {
    return decode()
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    throw appError('data_corrupt', `${key}: ${error.message}`, { cause: error })
  }
}

const missing = (key: string) => appError('object_not_found', `${key} is missing`)
const cut = (key: string) => appError('data_corrupt', `${key} ends too early`)
