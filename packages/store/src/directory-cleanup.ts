// Removes the leftovers of killed processes in a directory store: old temporary files, and versions
// of objects that are gone.
import { opendir, readFile, rename, rm, stat, utimes } from 'node:fs/promises'
import path from 'node:path'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { isMissing, openObjectFile, uniqueName } from './directory-file.ts'
import type { DirectoryPaths } from './directory-paths.ts'

/**
 * Cleans up now and every hour. A cleanup that fails is a process warning; the store still works
 * without it.
 */
export function startCleanup(
  paths: DirectoryPaths,
  olderThanMs: number
): { stop(): Promise<void> } {
  let running = Promise.resolve()
  const stopping = new AbortController()
  const sweep = () => {
    running = cleanDirectory(paths, olderThanMs, stopping.signal).catch((error: unknown) => {
      process.emitWarning(`Sweeping ${paths.root} failed: ${messageOf(error)}`)
    })
  }
  sweep()
  const timer = setInterval(sweep, 3_600_000).unref()
  return {
    async stop() {
      clearInterval(timer)
      // What is left is found by the next cleanup.
      stopping.abort()
      await running
    }
  }
}

/**
 * Rejects with the error of the file system. Entries that vanish during the cleanup are ignored.
 * Ends after the present entry when `signal` is aborted.
 */
export async function cleanDirectory(
  paths: DirectoryPaths,
  olderThanMs: number,
  signal?: AbortSignal
): Promise<void> {
  const limitMs = Date.now() - olderThanMs
  await forEachName(paths.tmp, signal, async (name) => {
    const file = path.join(paths.tmp, name)
    if ((await stat(file)).mtimeMs < limitMs) await rm(file, { recursive: true, force: true })
  })
  await forEachName(paths.versions, signal, async (etag) => {
    const directory = paths.versionsOf(etag)
    const key = await readFile(path.join(directory, 'key'), 'utf8')
    if (!(await isInPlace(paths.object(key), etag))) await markDeleted(paths, directory)
  })
}

/** The names are read on the way: there may be many. */
async function forEachName(
  directory: string,
  signal: AbortSignal | undefined,
  use: (name: string) => Promise<void>
): Promise<void> {
  for await (const { name } of await opendir(directory)) {
    if (signal?.aborted) return
    await ignoreMissing(() => use(name))
  }
}

/**
 * Moves the chain to the temporary files. This rename takes the chain away from every writer that
 * still holds a path into it. A later cleanup removes the moved directory.
 */
async function markDeleted(paths: DirectoryPaths, directory: string): Promise<void> {
  const grave = path.join(paths.tmp, uniqueName())
  await rename(directory, grave)
  const now = new Date()
  await utimes(grave, now, now)
}

async function isInPlace(objectPath: string, etag: string): Promise<boolean> {
  try {
    const base = await openObjectFile(objectPath)
    await base?.handle.close()
    return base?.etag === etag
  } catch (error) {
    // The damaged file may be the base of these versions, and then they are the only bytes left. So
    // they are kept.
    if (isAppError(error, 'data_corrupt')) return true
    throw error
  }
}

async function ignoreMissing(run: () => Promise<void>): Promise<void> {
  try {
    await run()
  } catch (error) {
    if (!isMissing(error)) throw error
  }
}
