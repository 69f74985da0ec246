// A segment open for reading: index and item table are loaded at once, columns and payload are read
// when needed. Collection readers share the segment; the last one closes it.
import { FaissError } from '@likeness/faiss'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import { RecentResults } from '@likeness/shared/data/recent-results'
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { type Column, emptyColumn } from '../columns/column.ts'
import type { StoredItem } from '../contract.ts'
import type { CheckedFile } from '../files/checked-file.ts'
import type { FileCache } from '../files/file-cache.ts'
import { readWhole } from '../files/read-whole.ts'
import { openRowFile, type RowFile } from '../files/row-file.ts'
import { VectorFile } from '../files/vector-file.ts'
import { type Attributes, decodePayload, readAttributes } from '../item/item-payload.ts'
import { decodeItemTable, type ItemTable } from '../segment/item-table.ts'
import { readSegmentIndex } from '../vector-index/open-index.ts'
import type { SegmentIndex } from '../vector-index/segment-index.ts'
import type { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { countCodes } from './label-codes.ts'
import { SegmentColumns } from './segment-columns.ts'

/** Items per read of attributes, when a segment has no columns. */
const itemsPerRead = 1024

export interface SegmentLabels {
  /** undefined: no item has a label. */
  column: Column | undefined
  /** [codes]: items by the code of their label. */
  counts: Uint32Array
}

export class LoadedSegment {
  readonly ref: ManifestSegment
  readonly meta: ItemTable
  readonly index: SegmentIndex
  readonly columns: SegmentColumns
  /** Rows that do not match, by filter. */
  readonly excluded = new RecentResults<Bitmap>(recentFilters)
  private readonly counted = new RecentResults<SegmentLabels>(1)
  /** Full vectors, where hits are scored by them or the index cannot return rows. */
  readonly vectors: RowFile | undefined
  private readonly payload: CheckedFile
  private users = 1

  private constructor(parts: {
    ref: ManifestSegment
    meta: ItemTable
    index: SegmentIndex
    vectors: RowFile | undefined
    payload: CheckedFile
    cache: FileCache
    logger: Logger
  }) {
    this.ref = parts.ref
    this.meta = parts.meta
    this.index = parts.index
    this.vectors = parts.vectors
    this.payload = parts.payload
    this.columns = new SegmentColumns({
      cache: parts.cache,
      logger: parts.logger,
      ref: parts.ref.files.columns,
      attributes: () => this.attributes()
    })
  }

  /**
   * Downloads the files that are not here yet. After data_corrupt, object_not_found or
   * store_unavailable all opened files are closed again.
   */
  static async load(
    { cache, logger }: { cache: FileCache; logger: Logger },
    ref: ManifestSegment,
    spec: Pick<CollectionSpec, 'embedding' | 'rescore' | 'settings'>
  ): Promise<LoadedSegment> {
    const {
      embedding: { dim },
      rescore
    } = spec
    const full = rescore || ref.index === 'inverted' ? ref.files.vectors : undefined
    const opened: { close(): unknown }[] = []
    const kept = async <T extends { close(): unknown }>(opening: Promise<T>): Promise<T> => {
      const one = await opening
      opened.push(one)
      return one
    }
    const settled = await Promise.allSettled([
      cache.path(ref.files.meta).then(readWhole).then(decodeItemTable),
      kept(cache.path(ref.files.index).then((path) => readIndex(path, ref, spec))),
      kept(cache.open(ref.files.payload)),
      full && kept(cache.open(full))
    ])
    try {
      const [meta, index, payload, vectors] = [
        fulfilled(settled[0]),
        fulfilled(settled[1]),
        fulfilled(settled[2]),
        fulfilled(settled[3])
      ]
      if (index.ntotal !== meta.rows || meta.rows !== ref.rows)
        throw appError(
          'data_corrupt',
          `segment ${ref.id} has ${index.ntotal} vectors for ${meta.rows} rows`
        )
      return new LoadedSegment({
        ref,
        meta,
        index,
        vectors:
          vectors && (await openRowFile(vectors, ref, { dim, sizeBytes: vectors.sizeBytes })),
        payload,
        cache,
        logger
      })
    } catch (error) {
      await Promise.all(opened.map((one) => one.close()))
      throw error
    }
  }

  /** Full vectors for scoring hits again. undefined: hits keep their scores. */
  get rescoring(): VectorFile | undefined {
    return this.vectors instanceof VectorFile ? this.vectors : undefined
  }

  /** Reads the full vectors where they are here, otherwise the vectors in the index. */
  readVectors(rows: Int32Array): Promise<VectorRows> {
    return this.vectors === undefined ? this.index.reconstruct(rows) : this.vectors.read(rows)
  }

  /** Returns the labels of all items of the segment, as they were written. Read once. */
  labels(): Promise<SegmentLabels> {
    return this.counted.get('', async () => {
      const column = await this.columns.get('label')
      const { items } = this.meta
      return { column, counts: await countCodes(column ?? emptyColumn, items) }
    })
  }

  /** Number of lists of an ivf index. */
  get nlist(): number {
    return this.ref.quantizer?.nlist ?? 1
  }

  retain(): this {
    this.users++
    return this
  }

  /** Gives up one use. The last release closes the local files. */
  async release(): Promise<void> {
    if (--this.users > 0) return
    this.index.close()
    await this.payload.close()
    await this.vectors?.close()
    await this.columns.close()
  }

  /**
   * Reads items, which must be ascending and close together: all bytes from the first to the last
   * are read at once.
   */
  async readItems(items: readonly number[]): Promise<StoredItem[]> {
    const { payloadOffset, revision } = this.meta
    const [first, last] = [items[0], items.at(-1)]
    if (first === undefined || last === undefined) return []
    const start = payloadOffset[first]!
    const body = await this.readPayload(start, payloadOffset[last + 1]!)
    return items.map((item) => ({
      ...decodePayload(
        body.subarray(payloadOffset[item]! - start, payloadOffset[item + 1]! - start)
      ),
      revision: revision[item]!
    }))
  }

  private async *attributes(): AsyncIterable<Attributes[]> {
    const { payloadOffset, items } = this.meta
    for (let first = 0; first < items; first += itemsPerRead) {
      const end = Math.min(items, first + itemsPerRead)
      const start = payloadOffset[first]!
      const body = await this.readPayload(start, payloadOffset[end]!)
      yield Array.from({ length: end - first }, (_, i) =>
        readAttributes(
          body.subarray(payloadOffset[first + i]! - start, payloadOffset[first + i + 1]! - start)
        )
      )
    }
  }

  private async readPayload(start: number, end: number): Promise<Uint8Array> {
    return await this.payload.read(start, end - start)
  }
}

function fulfilled<T>(one: PromiseSettledResult<T>): T {
  if (one.status === 'rejected') throw one.reason
  return one.value
}

async function readIndex(
  path: string,
  ref: ManifestSegment,
  { embedding: { dim }, settings }: Pick<CollectionSpec, 'embedding' | 'settings'>
): Promise<SegmentIndex> {
  try {
    return await readSegmentIndex(path, ref, { dim, onDisk: settings.on_disk })
  } catch (error) {
    if (error instanceof FaissError) throw appError('data_corrupt', error.message, { cause: error })
    throw error
  }
}
/** Number of filters whose bitmaps are kept, per segment and per version. */
export const recentFilters = 8
