// Trains the parts that the segments of a collection share: centroids of the lists, and a codebook.
import { trainBinaryCentroids, trainCentroids, trainCodebook } from '@likeness/faiss'
import { encodeVectors } from '../files/vector-file.ts'
import { bitsBytes, packBits } from '../vector-index/bits.ts'
import type { TrainInput } from './segment-files.ts'

/** Returns the body of a quantizer file: centroids, then the codebook. */
export async function train({
  vectors,
  dim,
  metric,
  nlist,
  storage
}: TrainInput): Promise<Uint8Array> {
  if (metric === 'hamming' || storage === 'bits')
    return await trainBinaryCentroids(packBits(vectors, dim), { bits: 8 * bitsBytes(dim), nlist })
  const centroids =
    nlist === 0 ? new Float32Array(0) : await trainCentroids(vectors, { dim, nlist, metric })
  const hasCodebook = storage !== 'f32' && storage !== 'f16'
  // pq codes in a list are relative to the centroid of that list.
  const codebook = hasCodebook
    ? await trainCodebook(vectors, { dim, metric, storage, ...(nlist > 0 && { centroids }) })
    : new Float32Array(0)
  return Buffer.concat([encodeVectors(centroids), encodeVectors(codebook)])
}
