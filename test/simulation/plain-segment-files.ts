// Segment files that keep plain vectors in place of Faiss indexes. The protocol is the same,
// without training and without a disk.
import {
  encodeVectors,
  type FileRef,
  type ManifestSegment,
  type MovedIndex,
  type SegmentFiles
} from '@likeness/engine/testing/internals'
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'

export function createPlainSegmentFiles(store: ObjectStore): SegmentFiles {
  async function put(key: string, body: Uint8Array): Promise<FileRef> {
    await store.put(key, body)
    return { key, sizeBytes: body.byteLength, sha256: sha256Hex(body) }
  }

  async function get(ref: FileRef): Promise<Uint8Array> {
    const stored = await store.get(ref.key)
    if (stored === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
    if (sha256Hex(stored.body) !== ref.sha256)
      throw appError('data_corrupt', `${ref.key} does not match its checksum`)
    return stored.body
  }

  const read = async (
    { files: { index: ref }, rows }: ManifestSegment,
    dim: number
  ): Promise<Float32Array> => {
    const body = new Uint8Array(await get(ref))
    if (body.byteLength !== rows * dim * 4)
      throw appError('data_corrupt', `${ref.key} has ${body.byteLength} bytes for ${rows} rows`)
    return new Float32Array(body.buffer)
  }
  async function place({ ref, places }: MovedIndex, dim: number, out: Float32Array): Promise<void> {
    const vectors = await read(ref, dim)
    places.forEach(
      (to, from) => to >= 0 && out.set(vectors.subarray(from * dim, (from + 1) * dim), to * dim)
    )
  }

  return {
    put,
    get,
    async putPieces(key, pieces) {
      const held: Uint8Array[] = []
      for await (const piece of pieces) held.push(piece)
      return await put(key, Buffer.concat(held))
    },
    async open(ref) {
      const body = await get(ref)
      return {
        read: async (offset, length) => body.subarray(offset, offset + length),
        close: async () => undefined
      }
    },
    async putIndex(key, { config }, { pieces }) {
      const held: Uint8Array[] = []
      // Encoded vectors are left out, so code that reads vectors from here is detected.
      for await (const piece of pieces)
        held.push(
          encodeVectors(config.storage === 'f32' ? denseRows(piece) : denseRows(piece).map(() => 0))
        )
      return { file: await put(key, Buffer.concat(held)) }
    },
    async putLists(key, { dim }, from) {
      const out = new Float32Array(
        dim * from.reduce((sum, { places }) => sum + places.filter((to) => to >= 0).length, 0)
      )
      for (const moved of from) await place(moved, dim, out)
      return { file: await put(key, encodeVectors(out)) }
    },
    async putGrown(key, base, added, { dim }) {
      const out = new Float32Array(dim * (base.places.length + added.places.length))
      await place(base, dim, out)
      let i = 0
      for await (const piece of added.pieces) {
        const rows = base.ref.storage === 'f32' ? denseRows(piece) : denseRows(piece).map(() => 0)
        for (let at = 0; at < rows.length; at += dim)
          out.set(rows.subarray(at, at + dim), added.places[i++]! * dim)
      }
      return { file: await put(key, encodeVectors(out)) }
    },
    vectors: read,
    async openVectors(segment, dim) {
      const vectors = await read(segment, dim)
      return {
        read: async (first, count) => vectors.slice(first * dim, (first + count) * dim),
        close: async () => undefined
      }
    },
    train: async ({ vectors, dim, nlist }) =>
      encodeVectors(vectors.slice(0, dim * Math.max(1, nlist)))
  }
}
