// Puts finished files in place and removes objects: the steps that change the file behind a key of
// a directory store.
import { link, mkdir, rename, rmdir, stat, unlink } from 'node:fs/promises'
import path from 'node:path'
import { hasCode, isMissing } from './directory-file.ts'
import type { DirectoryPaths } from './directory-paths.ts'
import type { SyncDirectory } from './directory-sync.ts'

const maxAttempts = 100
const unlinksAtOnce = 32

export interface PlaceDeps {
  paths: DirectoryPaths
  sync: SyncDirectory
  onStep: (step: string) => Promise<void> | void
}

/** Replaces the object of the key, if there is one. */
export async function placeOver(deps: PlaceDeps, temp: string, target: string): Promise<void> {
  await deps.onStep('before rename')
  await intoDirectory(temp, target, () => rename(temp, target))
  await deps.onStep('renamed')
  await syncSurvivor(deps, path.dirname(target))
}

/** Returns false when the key exists. */
export async function placeNew(deps: PlaceDeps, temp: string, target: string): Promise<boolean> {
  await deps.onStep('before create')
  try {
    await intoDirectory(temp, target, () => link(temp, target))
  } catch (error) {
    if (hasCode(error, 'EEXIST')) return false
    throw error
  }
  await deps.onStep('created')
  await syncSurvivor(deps, path.dirname(target))
  return true
}

/** Removes objects, and directories that become empty. */
export async function removeObjects(deps: PlaceDeps, keys: readonly string[]): Promise<void> {
  const directories = new Set<string>()
  for (let i = 0; i < keys.length; i += unlinksAtOnce) {
    const files = keys.slice(i, i + unlinksAtOnce).map((key) => deps.paths.object(key))
    await Promise.all(files.map((file) => unlinkIfThere(file)))
    for (const file of files) directories.add(path.dirname(file))
  }
  await deps.onStep('unlinked')
  // A thousand folders in one parent need one fsync of the parent.
  const survivors = new Set<string>()
  const emptied = [...directories]
  for (let i = 0; i < emptied.length; i += unlinksAtOnce) {
    const some = emptied.slice(i, i + unlinksAtOnce)
    for (const survivor of await Promise.all(some.map((one) => pruneEmpty(deps.paths, one))))
      survivors.add(survivor)
  }
  for (const survivor of survivors) await syncSurvivor(deps, survivor)
}

/**
 * Creates the directory when it is missing. A deletion may remove the directory again before the
 * file is in, so this is tried several times.
 */
async function intoDirectory(
  temp: string,
  target: string,
  place: () => Promise<void>
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await place()
    } catch (error) {
      if (!isMissing(error) || attempt === maxAttempts) throw error
      await stat(temp)
      await mkdir(path.dirname(target), { recursive: true })
    }
  }
}

async function pruneEmpty(paths: DirectoryPaths, directory: string): Promise<string> {
  let survivor = directory
  while (survivor !== paths.objects) {
    try {
      await rmdir(survivor)
    } catch (error) {
      if (!isMissing(error)) break
    }
    survivor = path.dirname(survivor)
  }
  return survivor
}

/**
 * Syncs the nearest directory that still exists. A directory that was removed meanwhile was empty,
 * so its removal must be durable.
 */
async function syncSurvivor({ paths, sync }: PlaceDeps, directory: string): Promise<void> {
  for (let survivor = directory; ; survivor = path.dirname(survivor)) {
    try {
      return await sync(survivor)
    } catch (error) {
      if (!isMissing(error) || survivor === paths.root) throw error
    }
  }
}

async function unlinkIfThere(file: string): Promise<void> {
  try {
    await unlink(file)
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
