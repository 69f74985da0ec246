// The quantizer, shared by the indexes of a collection: IVF centroids, ranges of sq8, centroids of
// pq. One file, trained when there are enough points and trained again as the collection grows.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { listsFor, trainedBytes } from '@likeness/shared/contract/index-memory'
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import { indexMetric, needsQuantizer, sealedConfig } from '../vector-index/segment-config.ts'
import type { Manifest } from '../version/manifest.ts'
import type { SegmentFiles } from './segment-files.ts'

export type QuantizerRef = NonNullable<Manifest['quantizer']>
export interface Quantizer {
  ref: QuantizerRef
  /** Bytes from SegmentFiles.train. */
  body: Uint8Array
}

/**
 * Growth of the live rows, relative to the rows that the quantizer was trained for, after which a
 * new one is trained and every segment is written again.
 */
const growth = 4

export const isOutgrown = (
  spec: CollectionSpec,
  quantizer: Manifest['quantizer'],
  liveRows: number
): boolean =>
  quantizer !== null &&
  needsQuantizer(sealedConfig(spec)) &&
  liveRows >= growth * quantizer.trainedOn

/** Size of the quantizer file in bytes. */
export const quantizerBytes = (
  { metric, storage, embedding: { dim } }: CollectionSpec,
  nlist: number
): number => trainedBytes({ metric, storage, dim }, nlist)

interface QuantizerDeps {
  files: SegmentFiles
  keys: CollectionKeys
  newId: () => string
}

export async function readQuantizer(files: SegmentFiles, ref: QuantizerRef): Promise<Quantizer> {
  return { ref, body: await files.get(ref) }
}

/**
 * Least number of sampled rows. k-means uses no more than 64 rows per centroid, or all rows when
 * they are few.
 */
const leastSample = 262_144
const samplePerCentroid = 64
export const pointsToTrain = (rows: number): number =>
  Math.max(leastSample, samplePerCentroid * listsFor(rows))

/**
 * vectors: [n, dim] to train on, a sample of the `rows` to quantize. `trainedOn`: number of rows of
 * the collection.
 */
export async function trainQuantizer(
  { files, keys, newId }: QuantizerDeps,
  spec: CollectionSpec,
  vectors: Float32Array,
  { rows, trainedOn }: { rows: number; trainedOn: number }
): Promise<Quantizer> {
  const { dim } = spec.embedding
  const { index, storage } = sealedConfig(spec)
  const nlist = index === 'ivf' ? listsFor(rows) : 0
  const body = await files.train({ vectors, dim, metric: indexMetric(spec.metric), nlist, storage })
  return { ref: { ...(await files.put(keys.quantizer(newId()), body)), nlist, trainedOn }, body }
}
