// The real segment files: Faiss indexes built on the addon's pool, written to a local folder and
// streamed to the store.
import { createReadStream } from 'node:fs'
import { open, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { appError, messageOf } from '@likeness/shared/errors'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import type { ObjectStore } from '@likeness/store/object-store'
import type { ByteReader, RowReader } from '../files/byte-reader.ts'
import type { FileCache } from '../files/file-cache.ts'
import type { IndexInput } from '../vector-index/index-input.ts'
import { createSegmentIndex, readSegmentIndex } from '../vector-index/open-index.ts'
import type { SegmentIndex } from '../vector-index/segment-index.ts'
import { tuneIndex, type Tuning } from '../vector-index/tune-index.ts'
import { sha256InTurns } from '../files/sha256-in-turns.ts'
import type { FileRef, ManifestSegment } from '../version/manifest.ts'
import type { BuiltIndex, SegmentFiles } from './segment-files.ts'
import { train } from './train.ts'

/** A limit larger than any memory or disk here. */
const maxBytes = 2 ** 42

/**
 * A flat index up to this size, which the items of a step have, goes into the store from memory. A
 * file between costs as much as the store: it is synced too, and read again.
 */
const inMemoryBytes = 32 * 1024 * 1024
const isInMemory = ({ kind, ntotal, dim }: SegmentIndex): boolean =>
  kind === 'flat' && ntotal * dim * Float32Array.BYTES_PER_ELEMENT <= inMemoryBytes

/** store_unavailable, so that the writer waits, when the disk of this process has no room. */
async function writeIndex(index: SegmentIndex, path: string): Promise<void> {
  try {
    await index.write(path)
  } catch (error) {
    const failure = findMachineFailure(error)
    if (failure === undefined) throw error
    throw appError(
      'store_unavailable',
      `an index cannot be written into the data folder of this process: ${failure.text} (${messageOf(error)})`,
      { cause: error, detail: { reason: failure.reason } }
    )
  }
}

/** Closes the opened index, whether `use` succeeds or fails. */
async function using<T>(index: SegmentIndex, use: (index: SegmentIndex) => Promise<T>): Promise<T> {
  try {
    return await use(index)
  } finally {
    index.close()
  }
}

const effortOf = ({ tuning, quantizer }: IndexInput) => ({
  tuning,
  nlist: quantizer?.nlist
})

async function openBytes(
  path: string,
  ref: FileRef,
  closed: () => Promise<void>
): Promise<ByteReader> {
  const file = await open(path)
  return {
    async read(offset, length) {
      const body = new Uint8Array(length)
      const { bytesRead } = await file.read(body, 0, length, offset)
      if (bytesRead !== length)
        throw appError('data_corrupt', `${ref.key} ends before byte ${offset + length}`)
      return body
    },
    async close() {
      await file.close()
      await closed()
    }
  }
}

export function createFaissSegmentFiles({
  store,
  cache
}: {
  store: ObjectStore
  cache: FileCache
}): SegmentFiles {
  /** The store waits for its disk while the body is hashed. */
  async function put(key: string, body: Uint8Array): Promise<FileRef> {
    const [sha256] = await Promise.all([sha256InTurns(body), store.put(key, body)])
    return { key, sizeBytes: body.byteLength, sha256 }
  }
  async function finish(
    key: string,
    index: SegmentIndex,
    { tuning, nlist = 1 }: { tuning?: Tuning | undefined; nlist?: number | undefined }
  ): Promise<BuiltIndex> {
    const tuned = tuning === undefined ? undefined : await tuneIndex(index, { ...tuning, nlist })
    if (index.toBytes !== undefined && isInMemory(index))
      return { file: await put(key, await index.toBytes()), tuned }
    const scratch = await cache.scratchPath()
    try {
      await writeIndex(index, scratch)
      return {
        file: { key, ...(await store.putStream(key, createReadStream(scratch), { maxBytes })) },
        tuned
      }
    } finally {
      await rm(scratch, { force: true })
    }
  }
  async function openIndex(segment: ManifestSegment, dim: number): Promise<SegmentIndex> {
    const ref = segment.files.index
    const index = await readSegmentIndex(await cache.path(ref), segment, { dim, onDisk: true })
    await cache.drop([ref])
    return index
  }
  async function openVectors(segment: ManifestSegment, dim: number) {
    const index = await openIndex(segment, dim)
    return {
      read: (first, count) => index.reconstructRange(first, count),
      close: async () => index.close()
    } satisfies RowReader
  }

  return {
    train,
    put,
    async putPieces(key, pieces) {
      return {
        key,
        ...(await store.putStream(key, Readable.from(pieces, { objectMode: false }), { maxBytes }))
      }
    },
    async get(ref) {
      const stored = await store.get(ref.key)
      if (stored === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
      if ((await sha256InTurns(stored.body)) !== ref.sha256)
        throw appError('data_corrupt', `${ref.key} does not match its checksum`)
      return stored.body
    },
    open: async (ref) => await openBytes(await cache.path(ref), ref, () => cache.drop([ref])),
    putIndex: async (key, input, { count, pieces }) =>
      await using(createSegmentIndex(input), async (index) => {
        await index.reserve(count)
        for await (const piece of pieces) await index.add(piece)
        return await finish(key, index, effortOf(input))
      }),
    putLists: async (key, input, from) =>
      await using(createSegmentIndex(input), async (index) => {
        for (const { ref, places } of from) {
          await index.moveLists(await cache.path(ref.files.index), places)
          await cache.drop([ref.files.index])
        }
        return await finish(key, index, effortOf(input))
      }),
    putGrown: async (key, base, { places, pieces }, { dim, tuning }) =>
      await using(await openIndex(base.ref, dim), async (index) => {
        await index.reserve(base.places.length + places.length)
        for await (const piece of pieces) await index.add(piece)
        const all = new Int32Array(base.places.length + places.length)
        all.set(base.places)
        all.set(places, base.places.length)
        await index.renumber(all)
        return await finish(key, index, { tuning })
      }),
    async vectors(segment, dim) {
      const reader = await openVectors(segment, dim)
      try {
        return await reader.read(0, segment.rows)
      } finally {
        await reader.close()
      }
    },
    openVectors
  }
}
