// Segment configs of a collection: small segments are exact and keep every bit of their vectors;
// sealed segments follow the collection's settings.
import type { CollectionSpec, Metric } from '@likeness/shared/contract/collection'
import {
  isLossless,
  isQuantized,
  leastTrainingRows,
  type VectorStorage
} from '@likeness/shared/contract/storage-forms'
import type { IndexKind, ManifestSegment } from '../version/manifest.ts'

/** `bits`: storage of every segment of a hamming collection. */
export type SegmentStorage = VectorStorage | 'bits'
export interface SegmentConfig {
  index: IndexKind
  storage: SegmentStorage
}

/** Config of small segments, and of segments with too few rows to train a quantizer. */
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

/** Number of rows from which a segment is sealed. */
export const sealRows = ({ settings, storage }: CollectionSpec): number =>
  Math.max(settings.seal_threshold, leastTrainingRows(storage))

export const isSmall = (
  spec: CollectionSpec,
  ref: SegmentConfig & Pick<ManifestSegment, 'rows'>
): boolean => sameConfig(ref, smallConfig(spec)) && ref.rows < sealRows(spec)

/** Whether a search looks at all items that it can find. */
export const isExact = ({ index }: Pick<SegmentConfig, 'index'>): boolean =>
  index === 'flat' || index === 'inverted'

export const needsQuantizer = ({ index, storage }: SegmentConfig): boolean =>
  index === 'ivf' || needsCodebook(storage)

/**
 * Whether full vectors lie beside the index. Quantized rows keep them even without re-scoring. The
 * reason: a codebook is trained again as the collection grows, so a merge may use another codebook
 * than its inputs, and rows that are encoded twice lose precision twice. Rows of f32 and bits are the
 * given rows, bit for bit. f16 rounds the given rows, so re-scoring needs the full ones; a row of f16
 * that is stored again stays the same. Inverted lists hold only the rows of each index, so their full
 * rows lie beside them.
 */
export const keepsVectors = (
  { index, storage }: SegmentConfig,
  { rescore }: CollectionSpec
): boolean =>
  index === 'inverted' ||
  needsCodebook(storage) ||
  (rescore && storage !== 'bits' && !isLossless(storage))
export type IndexMetric = 'ip' | 'l2' | 'hamming'
/** Cosine rows are stored at unit length, so IP and cosine both use the inner product. */
export const indexMetric = (metric: Metric): IndexMetric =>
  (({ IP: 'ip', cosine: 'ip', L2: 'l2', hamming: 'hamming' }) as const)[metric]
