// A Faiss index over float vectors. A row is dim x f32 and must be finite (not checked here).
import type { VectorStorage } from '@likeness/shared/contract/storage-forms'
import { addon } from './addon.ts'
import { requirePath } from './argument-checks.ts'
import { callAddon, FaissError } from './faiss-error.ts'
import type { IndexHandle, IndexKind } from './index-handle.ts'
import { createHandle, type FaissMetric, type IndexSpec } from './index-spec.ts'
import { RowIndex } from './row-index.ts'

/**
 * A range search returns rows with inner products above the radius, or with squared L2 distances
 * below the radius.
 */
export class FaissIndex extends RowIndex<Float32Array> {
  readonly kind: IndexKind
  readonly dim: number
  readonly metric: FaissMetric
  readonly storage: VectorStorage
  protected readonly rowLength: number

  private constructor(handle: IndexHandle) {
    super(handle, (length) => new Float32Array(length))
    const [kind, dim, innerProduct, storage] = addon.describe(handle)
    if (storage === 'bits')
      throw new FaissError('data_corrupt', 'an index of packed bits, not of float vectors')
    this.kind = kind
    this.dim = dim
    this.metric = innerProduct ? 'ip' : 'l2'
    this.storage = storage
    this.rowLength = dim
  }

  /** Returns an empty index. Throws FaissError invalid_argument or dimension_mismatch. */
  static create(spec: IndexSpec): FaissIndex {
    return new FaissIndex(createHandle(spec))
  }

  /**
   * Reads a file made by `write`. With `mapLists`, inverted lists stay on disk and are mapped, and
   * rows cannot be added. Rejects with data_corrupt when any part of the file is damaged, and with
   * faiss_failed when the file cannot be read.
   */
  static async read(
    path: string,
    { mapLists = false }: { mapLists?: boolean } = {}
  ): Promise<FaissIndex> {
    requirePath(path)
    return new FaissIndex(await callAddon(() => addon.readIndex(path, mapLists)))
  }

  protected exclusiveRadius(radius: number): number {
    return radius
  }
}
