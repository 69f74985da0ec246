// The Faiss indexes of a committed version, opened here for comparison with a search over HTTP.
import { createFileCache } from '@likeness/engine'
import { readCommitted } from '@likeness/engine/testing/internals'
import { FaissIndex } from '@likeness/faiss'
import { openDirectoryStore } from '@likeness/store/directory-store'

export interface RawIndex {
  search(vector: Float32Array, effort: { k: number; efSearch: number }): Promise<unknown>
  close(): void
}

export async function openRawIndex({
  storeDir,
  cacheDir,
  collectionId
}: {
  storeDir: string
  cacheDir: string
  collectionId: string
}): Promise<RawIndex> {
  const store = await openDirectoryStore({ root: storeDir })
  const manifest = await readCommitted(store, collectionId)
  if (manifest === undefined) throw new Error('nothing is committed')
  const cache = createFileCache({ store, dir: cacheDir })
  const indexes = await Promise.all(
    manifest.segments.map(async ({ files }) => await FaissIndex.read(await cache.path(files.index)))
  )
  await store.close()
  return {
    search: (vector, effort) => Promise.all(indexes.map((index) => index.search(vector, effort))),
    close: () => indexes.forEach((index) => index.close())
  }
}
