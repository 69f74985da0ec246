// What every index does, whatever its rows are: rows in, searches, rows out, file. Work runs on the addon's pool; searches run
// beside each other, an add runs alone, and operations on one index begin in the order they were called.
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
 * `efSearch` (HNSW, default 64) and `nprobe` (IVF, default 8) are the effort of this call alone.
 * `deleted` is a bitmap: bit i (least significant first in byte i >> 3) set means that row i is not returned; rows past
 * its end are live.
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

/** nq x k, best first; distances are inner products, squared L2 or differing bits. Missing results are id -1, distance NaN. */
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

/** Arrays given to a method belong to it until its promise settles: do not change or transfer them before. */
export abstract class RowIndex<R extends Rows> {
  abstract readonly kind: IndexKind
  /** Elements of one row. */
  protected abstract readonly rowLength: number
  readonly #handle: IndexHandle
  readonly #newRows: (length: number) => R
  #closed = false

  protected constructor(handle: IndexHandle, newRows: (length: number) => R) {
    this.#handle = handle
    this.#newRows = newRows
  }

  /** Rows whose add has ended. Throws FaissError closed. */
  get ntotal(): number {
    return callAddonSync(() => addon.ntotal(this.#open()))
  }

  /** n rows; they become rows ntotal.. in order. */
  async add(rows: R): Promise<void> {
    const handle = this.#open()
    requireInteger('number of rows', this.#count('rows', rows), 0, maxRows)
    await callAddon(() => addon.add(handle, rows))
  }

  /** Makes room for so many rows in all, so that adding them piece by piece never copies what is there. */
  async reserve(rows: number): Promise<void> {
    const handle = this.#open()
    requireInteger('rows', rows, 0, maxRows)
    await callAddon(() => addon.reserve(handle, rows))
  }

  /**
   * ivf only: takes over the rows of another index file of the same centroids and codebook as they lie in its lists; row i becomes places[i]
   * (-1: none). Before the index is used every row up to the last must have come. Rejects with invalid_argument, and is of no use then.
   */
  async moveLists(path: string, places: Int32Array): Promise<void> {
    const handle = this.#open()
    requirePath(path)
    requireArray('places', places, Int32Array)
    await callAddon(() => addon.moveLists(handle, path, places))
  }

  /** Row i becomes places[i], a permutation. Not for ivf. */
  async renumber(places: Int32Array): Promise<void> {
    const handle = this.#open()
    requireArray('places', places, Int32Array)
    await callAddon(() => addon.renumber(handle, places))
  }

  /** Exact for flat. */
  async search(queries: R, options: SearchOptions): Promise<SearchResult> {
    const handle = this.#open()
    const { effort, deleted } = this.#effort(options)
    const result = newResult(this.#count('queries', queries), options.k)
    await callAddon(() =>
      addon.search(handle, queries, options.k, effort, deleted, result.ids, result.distances)
    )
    return result
  }

  /** Every live row within the radius: exact for flat and HNSW (a scan: a graph has no range search), within nprobe lists for IVF. */
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

  /** Exact search among the given rows only. Rejects with invalid_argument for a row that is not there. */
  async searchRows(queries: R, rows: Int32Array, k: number): Promise<SearchResult> {
    const handle = this.#open()
    requireArray('rows', rows, Int32Array)
    const result = newResult(this.#count('queries', queries), k)
    await callAddon(() => addon.searchRows(handle, queries, rows, k, result.ids, result.distances))
    return result
  }

  /** The rows as they are stored (quantized ones decoded), in the order asked for. Rejects with invalid_argument for a row that is not there. */
  async reconstruct(rows: Int32Array): Promise<R> {
    const handle = this.#open()
    requireArray('rows', rows, Int32Array)
    const out = this.#newRows(rows.length * this.rowLength)
    await callAddon(() => addon.reconstruct(handle, rows, out))
    return out
  }

  /** Rows first to first + count - 1. */
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

  /** Atomic and durable: a reader of path sees the old file or the whole new one, and after this it survives a power cut. */
  async write(path: string): Promise<void> {
    const handle = this.#open()
    requirePath(path)
    await callAddon(() => addon.writeIndex(handle, path))
  }

  /**
   * The same index as a plain Faiss file, without our checksum: for `faiss.read_index`, not for `read`. Atomic and durable as `write`.
   * The file says with which effort it is to be searched; where it says nothing, Faiss takes an efSearch of 16 and an nprobe of 1.
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

  /** What was called before still ends; then the memory is freed. Everything later fails with code closed. */
  close(): void {
    if (this.#closed) return
    this.#closed = true
    addon.close(this.#handle)
  }

  /** The radius as the addon takes it: nothing at this distance is returned. */
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
