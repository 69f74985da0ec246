// Segment files that keep plain vectors in place of Faiss indexes: the protocol is the same, nothing is trained and no disk is touched.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { sha256Hex } from '@likeness/engine/manifest'
import type { FileRef } from '@likeness/engine/manifest'
import type { SegmentFiles } from '@likeness/engine/segment-files'

const bytesOf = (vectors: Float32Array): Uint8Array => new Uint8Array(vectors.buffer, vectors.byteOffset, vectors.byteLength)

export function createPlainSegmentFiles(store: ObjectStore): SegmentFiles {
  async function put(key: string, body: Uint8Array): Promise<FileRef> {
    await store.put(key, body)
    return { key, sizeBytes: body.byteLength, sha256: sha256Hex(body) }
  }

  async function get(ref: FileRef): Promise<Uint8Array> {
    const stored = await store.get(ref.key)
    if (stored === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
    if (sha256Hex(stored.body) !== ref.sha256) throw appError('data_corrupt', `${ref.key} does not match its checksum`)
    return stored.body
  }

  return {
    put,
    get,
    putIndex: (key, { vectors }) => put(key, bytesOf(vectors)),
    async vectors(ref, rows, dim) {
      const body = new Uint8Array(await get(ref))
      if (body.byteLength !== rows * dim * 4) throw appError('data_corrupt', `${ref.key} has ${body.byteLength} bytes for ${rows} rows`)
      return new Float32Array(body.buffer)
    },
    train: async ({ vectors, dim, nlist }) => vectors.slice(0, dim * nlist)
  }
}
