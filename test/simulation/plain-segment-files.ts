// Segment files that keep plain vectors in place of Faiss indexes: the protocol is the same, nothing is trained and no disk is touched.
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { sha256Hex } from '@likeness/engine/manifest'
import type { FileRef } from '@likeness/engine/manifest'
import type { SegmentFiles } from '@likeness/engine/segment-files'
import { encodeVectors } from '@likeness/engine/vector-file'

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
    // Encoded is lost: whoever takes vectors from there is caught.
    putIndex: (key, { form, vectors }) => put(key, encodeVectors(form.storage === 'f32' ? vectors : vectors.map(() => 0))),
    async vectors({ files: { index: ref }, rows }, dim) {
      const body = new Uint8Array(await get(ref))
      if (body.byteLength !== rows * dim * 4) throw appError('data_corrupt', `${ref.key} has ${body.byteLength} bytes for ${rows} rows`)
      return new Float32Array(body.buffer)
    },
    train: async ({ vectors, dim, nlist }) => encodeVectors(vectors.slice(0, dim * Math.max(1, nlist)))
  }
}
