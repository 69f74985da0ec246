// An object store in a directory of a local file system, shared by any number of processes. See
// directory-store.md.
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { appError } from '@likeness/shared/errors'
import { startCleanup } from './directory-cleanup.ts'
import { isMissing, uniqueName } from './directory-file.ts'
import { listDirectory } from './directory-list.ts'
import { directoryPaths, type DirectoryPaths } from './directory-paths.ts'
import { directoryReads } from './directory-read.ts'
import { createDirectorySync } from './directory-sync.ts'
import type { VersionsDeps } from './directory-versions.ts'
import { directoryWrites } from './directory-write.ts'
import { checkPrefix } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import { guarded, storeFailure } from './store-failure.ts'

export interface DirectoryStoreOptions {
  root: string
  /**
   * Age at which a temporary file counts as left behind. Default 6 h. An upload that stalls for
   * less time is safe.
   */
  sweepAgeMs?: number
  /** Number of names of one directory that list() holds in memory at once. Default 50 000. */
  listWindow?: number
  /** Called between the steps of a write. Tests stall and kill here. */
  onStep?: (step: string) => Promise<void> | void
}

const format = 'likeness object directory 2\n'

/**
 * Creates the directory when it is missing. Rejects with `unsupported_store` for another format,
 * and with `store_unavailable` without access.
 */
export async function openDirectoryStore(options: DirectoryStoreOptions): Promise<ObjectStore> {
  const paths = directoryPaths(path.resolve(options.root))
  const deps: VersionsDeps = {
    paths,
    sync: createDirectorySync(paths.root),
    onStep: options.onStep ?? (() => {})
  }
  await guarded(`open ${paths.root}`, async () => {
    for (const directory of [paths.objects, paths.versions, paths.tmp])
      await mkdir(directory, { recursive: true })
    await checkFormat(paths)
    await deps.sync(paths.objects)
  })
  const sweeping = startCleanup(paths, options.sweepAgeMs ?? 6 * 3_600_000)
  return {
    kind: 'directory',
    ...directoryReads(deps),
    ...directoryWrites(deps),
    async *list(prefix, { startAfter = '', before } = {}) {
      checkPrefix(prefix)
      try {
        const windowSize = options.listWindow ?? 50_000
        yield* listDirectory(deps, { prefix, startAfter, before, windowSize })
      } catch (error) {
        throw storeFailure(`list ${prefix}`, error)
      }
    },
    close: () => sweeping.stop()
  }
}

async function checkFormat(paths: DirectoryPaths): Promise<void> {
  const file = path.join(paths.root, 'format')
  const found = await readFile(file, 'utf8').catch((error: unknown) => {
    if (isMissing(error)) return undefined
    throw error
  })
  if (found !== undefined && found !== format) {
    throw appError(
      'unsupported_store',
      `${paths.root} holds "${found.trim().slice(0, 60)}", not "${format.trim()}".`
    )
  }
  if (found === format) return
  const temp = path.join(paths.tmp, uniqueName())
  await writeFile(temp, format, { flush: true })
  await rename(temp, file)
}
