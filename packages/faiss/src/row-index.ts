// Operations that every kind of index has: add rows, search, read rows, write a file. Work runs on
// the addon's pool. Searches run in parallel, an add runs alone, and operations on one index begin
// in the order of the calls.
import { addon } from './addon.ts'
import {
  countRows,
  maxRows,
  requireArray,
  requireInteger,
  requirePath,
  requireResultSize,
  type Rows
} from './argument-checks.ts'
import { callAddon, callAddonSync, FaissError, invalidArgument } from './faiss-error.ts'
import type { IndexHandle, IndexKind } from './index-handle.ts'

/**
 * `efSearch` (HNSW, default 64) and `nprobe` (IVF, default 8) are the effort of this call only.
 * `deleted` is a bitmap: row i is not returned when bit i is set (least significant first in byte i
 * >> 3). Rows past the end of the bitmap are live.
 */
export interface SearchEffort {
  efSearch?: number
  nprobe?: number
  deleted?: Uint8Array
}

export interface SearchOptions extends SearchEffort {
  k: number
}

export interface RangeOptions extends SearchEffort {
  radius: number
}

/**
 * nq x k results, best first. Distances are inner products, squared L2 or differing bits. Missing
 * results have id -1 and distance NaN.
 */
export interface SearchResult {
  ids: Int32Array
  distances: Float32Array
}

/** Results of query q are at lims[q] to lims[q + 1], best first. */
export interface RangeResult {
  lims: Int32Array
  ids: Int32Array
  distances: Float32Array
}

const defaultEfSearch = 64
const defaultNprobe = 8
const maxEffort = 2 ** 31 - 1
const nothingDeleted = new Uint8Array(0)

/** Do not change or transfer an array passed to a method before the method's promise is settled. */
export abstract class RowIndex<R extends Rows> {
  abstract readonly kind: IndexKind
  /** Number of elements of one row. */
  protected abstract readonly rowLength: number
  readonly #handle: IndexHandle
  readonly #newRows: (length: number) => R
  #closed = false

  protected constructor(handle: IndexHandle, newRows: (length: number) => R) {
    this.#handle = handle
    this.#newRows = newRows
  }

  /** Number of rows whose add has ended. Throws FaissError closed. */
  get ntotal(): number {
    return callAddonSync(() => addon.ntotal(this.#open()))
  }

  /** Adds n rows. They become the rows from ntotal on, in order. */
  async add(rows: R): Promise<void> {
    const handle = this.#open()
    requireInteger('number of rows', this.#count('rows', rows), 0, maxRows)
    await callAddon(() => addon.add(handle, rows))
  }

  /**
   * Reserves memory for this total number of rows, so that adding in pieces never copies existing
   * rows.
   */
  async reserve(rows: number): Promise<void> {
    const handle = this.#open()
    requireInteger('rows', rows, 0, maxRows)
    await callAddon(() => addon.reserve(handle, rows))
  }

  /**
   * ivf only: moves in the rows of another index file with the same centroids and codebook, in the
   * order of its lists. Row i becomes row places[i] (-1: dropped). Every row up to the last must be
   * moved in before the index is used. Rejects with invalid_argument; then the index is unusable.
   */
  async moveLists(path: string, places: Int32Array): Promise<void> {
    const handle = this.#open()
    requirePath(path)
    requireArray('places', places, Int32Array)
    await callAddon(() => addon.moveLists(handle, path, places))
  }

  /** Makes row i row places[i]; `places` is a permutation. Not for ivf. */
  async renumber(places: Int32Array): Promise<void> {
    const handle = this.#open()
    requireArray('places', places, Int32Array)
    await callAddon(() => addon.renumber(handle, places))
  }

  /** Searches the best k rows. Exact for flat. */
  async search(queries: R, options: SearchOptions): Promise<SearchResult> {
    const handle = this.#open()
    const { effort, deleted } = this.#effort(options)
    const result = newResult(this.#count('queries', queries), options.k)
    await callAddon(() =>
      addon.search(handle, queries, options.k, effort, deleted, result.ids, result.distances)
    )
    return result
  }

  /**
   * Returns every live row within the radius. Exact for flat and HNSW (a scan, because a graph has
   * no range search); limited to nprobe lists for IVF.
   */
  async rangeSearch(queries: R, options: RangeOptions): Promise<RangeResult> {
    const handle = this.#open()
    this.#count('queries', queries)
    if (typeof options.radius !== 'number' || Number.isNaN(options.radius))
      throw invalidArgument('radius must be a number')
    const { effort, deleted } = this.#effort(options)
    const radius = this.exclusiveRadius(options.radius)
    const [lims, ids, distances] = await callAddon(() =>
      addon.rangeSearch(handle, queries, radius, effort, deleted)
    )
    return { lims, ids, distances }
  }

  /**
   * Searches exactly, among the given rows only. Rejects with invalid_argument for a row that does
   * not exist.
   */
  async searchRows(queries: R, rows: Int32Array, k: number): Promise<SearchResult> {
    const handle = this.#open()
    requireArray('rows', rows, Int32Array)
    const result = newResult(this.#count('queries', queries), k)
    await callAddon(() => addon.searchRows(handle, queries, rows, k, result.ids, result.distances))
    return result
  }

  /**
   * Returns the stored rows (quantized ones decoded), in the requested order. Rejects with
   * invalid_argument for a row that does not exist.
   */
  async reconstruct(rows: Int32Array): Promise<R> {
    const handle = this.#open()
    requireArray('rows', rows, Int32Array)
    const out = this.#newRows(rows.length * this.rowLength)
    await callAddon(() => addon.reconstruct(handle, rows, out))
    return out
  }

  /** Returns the rows first to first + count - 1. */
  async reconstructRange(first: number, count: number): Promise<R> {
    const handle = this.#open()
    requireInteger('first', first, 0, maxRows)
    requireInteger('count', count, 0, maxRows)
    if (first + count > this.ntotal)
      throw invalidArgument(`rows ${first} to ${first + count} of ${this.ntotal} rows`)
    const out = this.#newRows(count * this.rowLength)
    await callAddon(() => addon.reconstructRange(handle, first, out))
    return out
  }

  /**
   * Writes the file, atomic and durable: a reader of `path` sees the old file or the whole new one,
   * and the new file survives a power cut after this call.
   */
  async write(path: string): Promise<void> {
    const handle = this.#open()
    requirePath(path)
    await callAddon(() => addon.writeIndex(handle, path))
  }

  /** Returns the bytes of the file that `write` writes. They are in memory as a whole. */
  async toBytes(): Promise<Uint8Array> {
    const handle = this.#open()
    return await callAddon(() => addon.indexBytes(handle))
  }

  /**
   * Writes the same index as a plain Faiss file, without our checksum: for `faiss.read_index`, not
   * for `read`. Atomic and durable, like `write`. The file states the effort of a search; without
   * that, Faiss takes an efSearch of 16 and an nprobe of 1.
   */
  async exportTo(
    path: string,
    options: Pick<SearchEffort, 'efSearch' | 'nprobe'> = {}
  ): Promise<void> {
    const handle = this.#open()
    requirePath(path)
    const { effort } = this.#effort(options)
    await callAddon(() => addon.exportIndex(handle, path, effort))
  }

  /**
   * Frees the memory after all earlier calls have ended. Every later call fails with code closed.
   */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    addon.close(this.#handle)
  }

  /** Radius for the addon, which returns only rows that are closer than this distance. */
  protected abstract exclusiveRadius(radius: number): number

  #open(): IndexHandle {
    if (this.#closed) throw new FaissError('closed', 'the index is closed')
    return this.#handle
  }

  #count(name: string, rows: R): number {
    return countRows(name, rows, this.rowLength, this.#newRows(0))
  }

  #effort(options: SearchEffort): { effort: number; deleted: Uint8Array } {
    const { efSearch = defaultEfSearch, nprobe = defaultNprobe, deleted = nothingDeleted } = options
    requireInteger('efSearch', efSearch, 1, maxEffort)
    requireInteger('nprobe', nprobe, 1, maxEffort)
    requireArray('deleted', deleted, Uint8Array)
    return { effort: this.kind === 'ivf' ? nprobe : efSearch, deleted }
  }
}

function newResult(queries: number, k: number): SearchResult {
  requireResultSize(queries, k)
  return { ids: new Int32Array(queries * k), distances: new Float32Array(queries * k) }
}
