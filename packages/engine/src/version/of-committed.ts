// Reads the files of the committed version without holding it.
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { Manifest } from './manifest.ts'
import { readCommitted } from './read-manifest.ts'

/**
 * Runs a reading of the committed version, again when its files were collected meanwhile.
 * data_corrupt when the version that CURRENT names lacks a file.
 */
export async function ofCommitted<T>(
  store: ObjectStore,
  collectionId: string,
  read: (manifest: Manifest) => Promise<T>
): Promise<T | undefined> {
  for (let missing: string | undefined; ; ) {
    const manifest = await readCommitted(store, collectionId)
    if (manifest === undefined) return undefined
    try {
      return await read(manifest)
    } catch (error) {
      if (!isAppError(error, 'object_not_found')) throw error
      if (missing === manifest.commitId)
        throw appError('data_corrupt', error.message, { cause: error })
      missing = manifest.commitId
    }
  }
}
