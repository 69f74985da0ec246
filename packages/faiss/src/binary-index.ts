// One Faiss index over packed bits and Hamming distance: rows are bits / 8 bytes, bit i is bit i & 7 of byte i >> 3.
import { addon } from './addon.ts'
import { countRows, maxRows, requireInteger, requirePath } from './argument-checks.ts'
import { callAddon, callAddonSync, FaissError, invalidArgument } from './faiss-error.ts'
import type { IndexHandle, IndexKind } from './index-handle.ts'
import { graphWidths } from './index-spec.ts'
import { RowIndex } from './row-index.ts'

/** `bits`: a multiple of 8. `m` and `efConstruction` as in IndexSpec. `centroids`: nlist x bits / 8, see trainBinaryCentroids. */
export type BinaryIndexSpec = { bits: number } & (
  | { kind: 'flat' }
  | { kind: 'hnsw'; m?: number; efConstruction?: number }
  | { kind: 'ivf'; centroids: Uint8Array }
)

const maxBits = 65_536
const noCentroids = new Uint8Array(0)

/** A range search returns rows that differ in at most radius bits. */
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

  /** An empty index. Throws FaissError invalid_argument or dimension_mismatch. */
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

  /** A file made by `write`. With `mapLists`, inverted lists stay on disk and are mapped; nothing can be added then. Rejects with data_corrupt when it is damaged in any place, faiss_failed when it cannot be read. */
  static async read(
    path: string,
    { mapLists = false }: { mapLists?: boolean } = {}
  ): Promise<BinaryIndex> {
    requirePath(path)
    return new BinaryIndex(await callAddon(() => addon.readIndex(path, mapLists)))
  }

  /** Distances are whole numbers: at most radius is below the next one. */
  protected exclusiveRadius(radius: number): number {
    return Math.floor(radius) + 1
  }
}

export function requireBits(bits: number): void {
  requireInteger('bits', bits, 8, maxBits)
  if (bits % 8 !== 0) throw invalidArgument(`bits must be a multiple of 8, not ${bits}`)
}
