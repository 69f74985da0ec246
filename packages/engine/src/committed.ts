// The committed version of a collection as its manifest: two small reads, nothing loaded.
import { collectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import type { VersionReader } from './contract.ts'
import { readCurrent } from './current.ts'
import { readManifest } from './manifest.ts'
import type { Manifest } from './manifest.ts'

/** undefined when the collection is gone. */
export async function readCommitted(store: ObjectStore, incarnation: string): Promise<Manifest | undefined> {
  for (;;) {
    const found = await readCurrent(store, collectionKeys(incarnation).current)
    if (found === undefined) return undefined
    const manifest = await readManifest(store, found.current.manifest, found.current.sha256)
    // Missing: collected between the two reads, so CURRENT has moved on.
    if (manifest !== undefined) return manifest
  }
}

export const createVersionReader = ({ store }: { store: ObjectStore }): VersionReader => ({
  async read(incarnation) {
    const manifest = await readCommitted(store, incarnation)
    if (manifest === undefined) return undefined
    const { seq, counts, segments, ingestions } = manifest
    return {
      seq,
      counts,
      segments: segments.map(({ id, index, storage, rows, deletions }) => ({ id, index, storage, rows, deleted: deletions?.count ?? 0 })),
      openIngestions: Object.values(ingestions).filter(({ completedSeq }) => completedSeq === null).length
    }
  }
})
