// A Faiss index over packed bits with Hamming distance. A row is bits / 8 bytes; bit i is bit i & 7
// of byte i >> 3.
import { addon } from './addon.ts'
import { countRows, maxRows, requireInteger, requirePath } from './argument-checks.ts'
import { callAddon, callAddonSync, FaissError, invalidArgument } from './faiss-error.ts'
import type { IndexHandle, IndexKind } from './index-handle.ts'
import { graphWidths } from './index-spec.ts'
import { RowIndex } from './row-index.ts'

/**
 * `bits`: a multiple of 8. `m` and `efConstruction`: see IndexSpec. `centroids`: nlist x bits / 8,
 * see trainBinaryCentroids.
 */
export type BinaryIndexSpec = { bits: number } & (
  | { kind: 'flat' }
  | { kind: 'hnsw'; m?: number; efConstruction?: number }
  | { kind: 'ivf'; centroids: Uint8Array }
)

const maxBits = 65_536
const noCentroids = new Uint8Array(0)

/** A range search returns rows that differ in at most `radius` bits. */
export class BinaryIndex extends RowIndex<Uint8Array> {
  readonly kind: IndexKind
  readonly bits: number
  protected readonly rowLength: number

  private constructor(handle: IndexHandle) {
    super(handle, (length) => new Uint8Array(length))
    const [kind, bits, , storage] = addon.describe(handle)
    if (storage !== 'bits')
      throw new FaissError('data_corrupt', 'an index of float vectors, not of packed bits')
    this.kind = kind
    this.bits = bits
    this.rowLength = bits / 8
  }

  /** Returns an empty index. Throws FaissError invalid_argument or dimension_mismatch. */
  static create(spec: BinaryIndexSpec): BinaryIndex {
    const { kind, bits } = spec
    requireBits(bits)
    if (kind !== 'flat' && kind !== 'hnsw' && kind !== 'ivf')
      throw invalidArgument(`no index of kind ${String(kind)}: flat, hnsw and ivf are built`)
    const { m, efConstruction } = graphWidths(kind === 'hnsw' ? spec : {})
    const centroids = kind === 'ivf' ? spec.centroids : noCentroids
    if (kind === 'ivf')
      requireInteger(
        'number of centroids',
        countRows('centroids', centroids, bits / 8, noCentroids),
        1,
        maxRows
      )
    return new BinaryIndex(
      callAddonSync(() => addon.createBinary(kind, bits, m, efConstruction, centroids))
    )
  }

  /**
   * Reads a file made by `write`. With `mapLists`, inverted lists stay on disk and are mapped, and
   * rows cannot be added. Rejects with data_corrupt when any part of the file is damaged, and with
   * faiss_failed when the file cannot be read.
   */
  static async read(
    path: string,
    { mapLists = false }: { mapLists?: boolean } = {}
  ): Promise<BinaryIndex> {
    requirePath(path)
    return new BinaryIndex(await callAddon(() => addon.readIndex(path, mapLists)))
  }

  /** Distances are whole numbers, so "at most radius" is "below the next whole number". */
  protected exclusiveRadius(radius: number): number {
    return Math.floor(radius) + 1
  }
}

export function requireBits(bits: number): void {
  requireInteger('bits', bits, 8, maxBits)
  if (bits % 8 !== 0) throw invalidArgument(`bits must be a multiple of 8, not ${bits}`)
}
