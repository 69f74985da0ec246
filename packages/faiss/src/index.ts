// Entry of the package: Faiss indexes, linear algebra, inverted lists and the resampling of
// pictures.
import { addon } from './addon.ts'

export { BinaryIndex } from './binary-index.ts'
export type { BinaryIndexSpec } from './binary-index.ts'
export { readCached } from './cached-read.ts'
export { FaissError } from './faiss-error.ts'
export type { FaissErrorCode } from './faiss-error.ts'
export { FaissIndex } from './faiss-index.ts'
export type { VectorStorage } from '@likeness/shared/contract/storage-forms'
export type { IndexKind } from './index-handle.ts'
export type { FaissMetric, IndexSpec } from './index-spec.ts'
export { readForeignVectors } from './foreign-vectors.ts'
export type { ForeignVectors } from './foreign-vectors.ts'
export { searchInverted } from './search-inverted.ts'
export type { InvertedQuery, Postings } from './search-inverted.ts'
export { applyProjection } from './apply-projection.ts'
export { linearTransform } from './linear-transform.ts'
export type { LinearTransform } from './linear-transform.ts'
export { configurePool } from './pool.ts'
export type {
  RangeOptions,
  RangeResult,
  SearchEffort,
  SearchOptions,
  SearchResult
} from './row-index.ts'
export { resample } from './resample.ts'
export type { Taps } from './resample.ts'
export { symmetricEigen } from './symmetric-eigen.ts'
export type { Eigen } from './symmetric-eigen.ts'
export { trainBinaryCentroids, trainCentroids } from './train-centroids.ts'
export type { TrainOptions } from './train-centroids.ts'
export { trainCodebook } from './train-codebook.ts'
export type { CodebookOptions } from './train-codebook.ts'

/** Version of Faiss that the addon was built with. */
export const faissVersion: string = addon.faissVersion
