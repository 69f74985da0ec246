// What kinds of segments a collection has: small ones, exact, with every bit of their vectors; and sealed ones as the collection asks for.
import type { CollectionSpec, Metric } from '@likeness/shared/contract/collection'
import {
  isLossless,
  isQuantized,
  leastTrainingRows,
  type VectorStorage
} from '@likeness/shared/contract/storage-forms'
import type { IndexKind, ManifestSegment } from '../version/manifest.ts'

/** `bits`: of hamming, in every segment. */
export type SegmentStorage = VectorStorage | 'bits'
export interface SegmentConfig {
  index: IndexKind
  storage: SegmentStorage
}

/** Small segments, and whatever a quantizer cannot be trained for. */
export const smallConfig = ({ metric, embedding }: CollectionSpec): SegmentConfig => ({
  index: embedding.sparse ? 'inverted' : 'flat',
  storage: metric === 'hamming' ? 'bits' : 'f32'
})

export const sealedConfig = ({
  method,
  metric,
  storage,
  embedding
}: CollectionSpec): SegmentConfig => ({
  index: embedding.sparse
    ? 'inverted'
    : ({ FLAT: 'flat', HNSW32: 'hnsw', IVF: 'ivf' } as const)[method],
  storage: metric === 'hamming' ? 'bits' : storage
})

export const sameConfig = (a: SegmentConfig, b: SegmentConfig): boolean =>
  a.index === b.index && a.storage === b.storage

const needsCodebook = (storage: SegmentStorage): boolean =>
  storage !== 'bits' && isQuantized(storage)

/** Rows from which on a segment is sealed. */
export const sealRows = ({ settings, storage }: CollectionSpec): number =>
  Math.max(settings.seal_threshold, leastTrainingRows(storage))

export const isSmall = (
  spec: CollectionSpec,
  ref: SegmentConfig & Pick<ManifestSegment, 'rows'>
): boolean => sameConfig(ref, smallConfig(spec)) && ref.rows < sealRows(spec)

/** A search looks at everything that can be found. */
export const isExact = ({ index }: Pick<SegmentConfig, 'index'>): boolean =>
  index === 'flat' || index === 'inverted'

export const needsQuantizer = ({ index, storage }: SegmentConfig): boolean =>
  index === 'ivf' || needsCodebook(storage)

/**
 * Whether full vectors lie beside the index. Quantized rows come with them also where nothing is re-scored: a merge may meet another
 * codebook than the one its inputs have (it is trained anew as the collection grows), and what is encoded twice has lost twice. f32, f16 and bits lose
 * nothing when they are stored again. Inverted lists have what each index occurs in, and rows lie beside them.
 */
export const keepsVectors = (
  { index, storage }: SegmentConfig,
  { rescore }: CollectionSpec
): boolean =>
  index === 'inverted' ||
  needsCodebook(storage) ||
  (rescore && storage !== 'bits' && !isLossless(storage))
export type IndexMetric = 'ip' | 'l2' | 'hamming'
/** Cosine rows are stored at unit length, so both use the inner product. */
export const indexMetric = (metric: Metric): IndexMetric =>
  (({ IP: 'ip', cosine: 'ip', L2: 'l2', hamming: 'hamming' }) as const)[metric]
