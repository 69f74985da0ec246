// Segment files for real: Faiss indexes built on the addon's pool, written to a local folder and streamed to the store.
import { createReadStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { trainBinaryCentroids, trainCentroids, trainCodebook } from '@likeness/faiss'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { bitsBytes, packBits } from './bits.ts'
import type { FileCache } from './file-cache.ts'
import { sha256Hex } from './manifest.ts'
import type { SegmentFiles, TrainInput } from './segment-files.ts'
import { createSegmentIndex, readSegmentIndex } from './segment-index.ts'
import { encodeVectors } from './vector-file.ts'

/** Larger than any index that fits in memory here. */
const maxIndexBytes = 2 ** 40

async function train({ vectors, dim, metric, nlist, storage }: TrainInput): Promise<Uint8Array> {
  if (metric === 'hamming' || storage === 'bits') return await trainBinaryCentroids(packBits(vectors, dim), { bits: 8 * bitsBytes(dim), nlist })
  const centroids = nlist === 0 ? new Float32Array(0) : await trainCentroids(vectors, { dim, nlist, metric })
  const hasCodebook = storage !== 'f32' && storage !== 'f16'
  // Codes of pq in a list are relative to its centroid.
  const codebook = hasCodebook ? await trainCodebook(vectors, { dim, metric, storage, ...(nlist > 0 && { centroids }) }) : new Float32Array(0)
  return Buffer.concat([encodeVectors(centroids), encodeVectors(codebook)])
}

export function createFaissSegmentFiles({ store, cache }: { store: ObjectStore; cache: FileCache }): SegmentFiles {
  return {
    async put(key, body) {
      await store.put(key, body)
      return { key, sizeBytes: body.byteLength, sha256: sha256Hex(body) }
    },
    async get(ref) {
      const stored = await store.get(ref.key)
      if (stored === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
      if (sha256Hex(stored.body) !== ref.sha256) throw appError('data_corrupt', `${ref.key} does not match its checksum`)
      return stored.body
    },
    async putIndex(key, input) {
      const scratch = await cache.scratchPath()
      const index = createSegmentIndex(input)
      try {
        await index.add(input.vectors)
        await index.write(scratch)
        const { sizeBytes, sha256 } = await store.putStream(key, createReadStream(scratch), { maxBytes: maxIndexBytes })
        return { key, sizeBytes, sha256 }
      } finally {
        index.close()
        await rm(scratch, { force: true })
      }
    },
    async vectors({ files: { index: ref }, rows, storage }, dim) {
      const index = await readSegmentIndex(await cache.path(ref), storage, dim)
      try {
        return await index.reconstructRange(0, rows)
      } finally {
        index.close()
        await cache.drop([ref])
      }
    },
    train
  }
}
