// Lists a directory store in byte order of the full keys. The memory is bounded, for directories of
// any size.
import { opendir } from 'node:fs/promises'
import { isAppError } from '@likeness/shared/errors'
import { isMissing } from './directory-file.ts'
import { type DirectoryPaths, segmentOf } from './directory-paths.ts'
import { openCurrent, type VersionsDeps } from './directory-versions.ts'
import { compareKeys } from './object-key.ts'
import type { ObjectInfo } from './object-store.ts'

export interface ListRequest {
  prefix: string
  startAfter: string
  before: string | undefined
  /**
   * Number of names of one directory that are held at once. A larger directory is read again for
   * each window.
   */
  windowSize: number
}

const lookupsAtOnce = 32

export async function* listDirectory(
  deps: VersionsDeps,
  request: ListRequest
): AsyncGenerator<ObjectInfo> {
  const keys = walk(
    deps.paths,
    request,
    request.prefix.slice(0, request.prefix.lastIndexOf('/') + 1)
  )
  let batch: string[] = []
  for await (const key of keys) {
    if (batch.push(key) < lookupsAtOnce) continue
    yield* await lookUp(deps, batch)
    batch = []
  }
  yield* await lookUp(deps, batch)
}

/**
 * Yields the keys below one directory. "a" sorts as itself and the keys below it as "a/", so "a-b"
 * comes between them.
 */
async function* walk(
  paths: DirectoryPaths,
  request: ListRequest,
  prefix: string
): AsyncGenerator<string> {
  let after = ''
  for (;;) {
    const { names, more } = await smallestNames(
      paths.prefix(prefix),
      request.windowSize,
      (name) => {
        return compareKeys(name, after) > 0 && wanted(request, prefix + name)
      }
    )
    for (const name of names) {
      if (name.endsWith('/')) yield* walk(paths, request, prefix + name)
      else yield prefix + name
    }
    if (!more) return
    after = names.at(-1) ?? after
  }
}

function wanted({ prefix, startAfter, before }: ListRequest, path: string): boolean {
  // A folder sorts before everything below it.
  if (before !== undefined && compareKeys(path, before) >= 0) return false
  if (!path.endsWith('/')) return path.startsWith(prefix) && compareKeys(path, startAfter) > 0
  if (!path.startsWith(prefix) && !prefix.startsWith(path)) return false
  return startAfter.startsWith(path) || compareKeys(path, startAfter) > 0
}

async function smallestNames(directory: string, count: number, keep: (name: string) => boolean) {
  let names: string[] = []
  let more = false
  try {
    for await (const entry of await opendir(directory, { bufferSize: 512 })) {
      const name = segmentOf(entry.name)
      if (entry.isDirectory() !== name.endsWith('/') || !keep(name)) continue
      if (names.push(name) < 2 * count) continue
      names = names.sort(compareKeys).slice(0, count)
      more = true
    }
  } catch (error) {
    if (!isMissing(error)) throw error
  }
  more ||= names.length > count
  return { names: names.sort(compareKeys).slice(0, count), more }
}

async function lookUp(deps: VersionsDeps, keys: string[]): Promise<ObjectInfo[]> {
  const infos = await Promise.all(keys.map((key) => infoOf(deps, key)))
  return infos.filter((info) => info !== undefined)
}

/**
 * Returns the info of an object. A damaged object is listed too, so that it is seen and can be
 * deleted. Its etag matches no condition.
 */
async function infoOf(deps: VersionsDeps, key: string): Promise<ObjectInfo | undefined> {
  try {
    const found = await openCurrent(deps, key)
    if (!found) return undefined
    const { handle, etag, sizeBytes, lastModifiedMs } = found.file
    await handle.close()
    return { key, sizeBytes, etag, lastModifiedMs }
  } catch (error) {
    if (isAppError(error, 'data_corrupt'))
      return { key, sizeBytes: 0, etag: 'damaged', lastModifiedMs: 0 }
    throw error
  }
}
