// Reads the manifest of the committed version of a collection: two small reads, without loading its
// files.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { VersionReader } from '../contract.ts'
import { findCalibration } from './read-calibration.ts'
import { isDropped, readCurrent } from './current.ts'
import { readPart, readStateLines } from '../state/read-state.ts'
import { type Manifest, mustReadManifest, readManifest } from './manifest.ts'

/**
 * Returns undefined when the collection is gone or dropped. Throws data_corrupt when CURRENT or its manifest
 * is damaged or missing.
 */
export async function readCommitted(
  store: ObjectStore,
  collectionId: string
): Promise<Manifest | undefined> {
  for (let missing: string | undefined; ; ) {
    const found = await readCurrent(store, collectionKeys(collectionId).current)
    if (found === undefined || isDropped(found.current)) return undefined
    const manifest = await readManifest(store, found.current.manifest, found.current.sha256)
    if (manifest !== undefined) return manifest
    // Either the manifest was collected between the two reads, and CURRENT has moved on, or it is
    // lost.
    if (found.current.manifest === missing)
      throw appError('data_corrupt', `${missing}, named by CURRENT, is missing`)
    missing = found.current.manifest
  }
}

/** Returns the version that a snapshot holds. Throws snapshot_not_found or collection_not_found. */
export async function readSnapshot(
  store: ObjectStore,
  collectionId: string,
  name: string
): Promise<{ revision: number; held: Manifest }> {
  const manifest = await readCommitted(store, collectionId)
  if (manifest === undefined) throw appError('collection_not_found', 'the collection was dropped')
  const snapshot = Object.hasOwn(manifest.snapshots, name) ? manifest.snapshots[name] : undefined
  if (snapshot === undefined)
    throw appError('snapshot_not_found', `there is no snapshot ${JSON.stringify(name)}`)
  return {
    revision: snapshot.revision,
    held: await mustReadManifest(store, snapshot.manifest, snapshot.sha256)
  }
}

export const createVersionReader = ({ store }: { store: ObjectStore }): VersionReader => ({
  async read(collectionId) {
    const manifest = await readCommitted(store, collectionId)
    if (manifest === undefined) return undefined
    const {
      seq,
      spec: { settings, embedding },
      counts,
      segments,
      open,
      snapshots,
      outcomes,
      reprojection,
      calibration
    } = manifest
    return {
      seq,
      settings,
      embedding,
      reprojection,
      counts,
      segments: segments.map(({ id, index, storage, tuned = null, rows, deletions }) => ({
        id,
        index,
        storage,
        tuned,
        rows,
        deleted: deletions?.count ?? 0
      })),
      snapshots: Object.entries(snapshots).map(
        ([name, { revision, createdAtMs, seq: held, items, rows }]) => ({
          name,
          revision,
          createdAtMs,
          seq: held,
          items,
          rows
        })
      ),
      outcomes: outcomes.map(({ atMs: _atMs, ...result }) => result),
      openIngestions: open.jobs,
      calibration: calibration === undefined ? null : await findCalibration(store, calibration)
    }
  },
  async findSnapshot(collectionId, name) {
    const {
      revision,
      held: { appliedSlot, state }
    } = await readSnapshot(store, collectionId, name)
    const open: Record<string, string> = {}
    const lines = await readStateLines(state, (ref) => readPart(store, ref))
    for (const { ingestion, completedSeq, done } of lines.of('job').values())
      if (completedSeq === null) open[ingestion] = done
    return { revision, appliedSlot, open }
  }
})
