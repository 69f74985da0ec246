// Files of a try that failed. The next try writes new ones, so on a disk that is nearly full every
// try would take the room that the next one needs.
import type { ObjectStore } from '@likeness/store/object-store'
import type { SegmentFiles } from './segment-files.ts'

/**
 * Runs work that writes files under new names, none of which is named anywhere yet. When the work
 * fails, the files are deleted; what cannot be deleted is left to the collector.
 */
export async function withoutLeftovers<T>(
  { store, files }: { store: Pick<ObjectStore, 'delete'>; files: SegmentFiles },
  work: (files: SegmentFiles) => Promise<T>
): Promise<T> {
  const written: string[] = []
  const noted = (key: string): string => {
    written.push(key)
    return key
  }
  try {
    return await work({
      ...files,
      put: (key, ...rest) => files.put(noted(key), ...rest),
      putIndex: (key, ...rest) => files.putIndex(noted(key), ...rest),
      putPieces: (key, ...rest) => files.putPieces(noted(key), ...rest),
      putLists: (key, ...rest) => files.putLists(noted(key), ...rest),
      putGrown: (key, ...rest) => files.putGrown(noted(key), ...rest)
    })
  } catch (error) {
    await store.delete(written).catch(() => undefined)
    throw error
  }
}
