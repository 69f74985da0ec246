// The index of one segment. Vectors go in and come out as floats. Hamming collections use Faiss's
// binary index behind this interface; sparse collections use our own inverted lists.
import { BinaryIndex, type BinaryIndexSpec, FaissIndex, type IndexSpec } from '@likeness/faiss'
import { denseRows, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import { decodeVectors } from '../files/vector-file.ts'
import type { IndexKind } from '../version/manifest.ts'
import { bitsBytes, packBits, unpackBits } from './bits.ts'
import type { IndexInput } from './index-input.ts'
import { createInvertedIndex, readInvertedIndex } from './inverted-index.ts'
import type { SegmentConfig, SegmentStorage } from './segment-config.ts'
import type { SegmentIndex } from './segment-index.ts'

function overBits(index: BinaryIndex, dim: number): SegmentIndex {
  const pack = (vectors: VectorRows): Uint8Array => packBits(denseRows(vectors), dim)
  return {
    kind: index.kind,
    dim,
    metric: 'hamming',
    storage: 'bits',
    get ntotal() {
      return index.ntotal
    },
    add: (vectors) => index.add(pack(vectors)),
    search: (vectors, options) => index.search(pack(vectors), options),
    searchRows: (vectors, rows, k) => index.searchRows(pack(vectors), rows, k),
    rangeSearch: (vectors, options) => index.rangeSearch(pack(vectors), options),
    reconstruct: async (rows) => unpackBits(await index.reconstruct(rows), dim),
    reconstructRange: async (first, count) =>
      unpackBits(await index.reconstructRange(first, count), dim),
    reserve: (rows) => index.reserve(rows),
    moveLists: (path, places) => index.moveLists(path, places),
    renumber: (places) => index.renumber(places),
    write: (path) => index.write(path),
    toBytes: () => index.toBytes(),
    close: () => index.close()
  }
}

/**
 * Throws FaissError or AppError data_corrupt for a file with another number of bits, or of another
 * kind than expected.
 */
export async function readSegmentIndex(
  path: string,
  { index: kind, storage }: SegmentConfig,
  { dim, onDisk = false }: { dim: number; onDisk?: boolean }
): Promise<SegmentIndex> {
  if (kind === 'inverted') return await readInvertedIndex(path)
  if (storage !== 'bits') return await FaissIndex.read(path, { mapLists: onDisk })
  const index = await BinaryIndex.read(path, { mapLists: onDisk })
  if (index.bits === 8 * bitsBytes(dim)) return overBits(index, dim)
  index.close()
  throw appError('data_corrupt', `an index over ${index.bits} bits for vectors of ${dim}`)
}

/** Returns an empty index. */
export function createSegmentIndex(input: IndexInput): SegmentIndex {
  if (input.config.index === 'inverted') return createInvertedIndex(input.dim)
  if (input.config.storage === 'bits')
    return overBits(BinaryIndex.create(binarySpec(input)), input.dim)
  return FaissIndex.create(floatSpec(input, input.config.storage))
}

function needed<T>(quantizer: T | undefined): T {
  if (quantizer === undefined) throw appError('internal', 'an ivf segment needs centroids')
  return quantizer
}

function faissKind(kind: IndexKind): 'flat' | 'hnsw' {
  if (kind === 'flat' || kind === 'hnsw') return kind
  throw appError('internal', `an index of Faiss cannot be ${kind}`)
}

function binarySpec({ config: { index: kind }, dim, quantizer }: IndexInput): BinaryIndexSpec {
  const bits = 8 * bitsBytes(dim)
  return kind === 'ivf'
    ? { kind, bits, centroids: new Uint8Array(needed(quantizer).body) }
    : { kind: faissKind(kind), bits }
}

function floatSpec(
  { config: { index: kind }, dim, metric, quantizer }: IndexInput,
  storage: Exclude<SegmentStorage, 'bits'>
): IndexSpec {
  const trained = quantizer === undefined ? new Float32Array(0) : decodeVectors(quantizer.body)
  const centroidsEnd = (quantizer?.nlist ?? 0) * dim
  const codebook = trained.subarray(centroidsEnd)
  const stored = {
    dim,
    metric: metric === 'l2' ? ('l2' as const) : ('ip' as const),
    storage,
    ...(codebook.length > 0 && { codebook })
  }
  if (kind !== 'ivf') return { kind: faissKind(kind), ...stored }
  needed(quantizer)
  return { kind, ...stored, centroids: trained.subarray(0, centroidsEnd) }
}
