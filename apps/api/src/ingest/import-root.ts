// Files of an import from disk: only inside a folder of IMPORT_ROOTS, symlinks resolved, checked
// again on the opened file.
import { constants } from 'node:fs'
import { type FileHandle, open, realpath, stat } from 'node:fs/promises'
import { isAbsolute, join, resolve } from 'node:path'
import { appError } from '@likeness/shared/errors'
import { isInside } from '@likeness/shared/process/inside-folder'

const outside = (path: string, root: string) =>
  appError('path_outside_root', `${path} is not inside ${root}`)
const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code

/**
 * Returns the real path of a folder inside an import root; path_outside_root, object_not_found, or
 * invalid_request for a file.
 */
export async function resolveRoot(root: string, importRoots: readonly string[]): Promise<string> {
  const roots = await Promise.all(
    importRoots.map((folder) => realpath(folder).catch(() => resolve(folder)))
  )
  const refused = appError('path_outside_root', 'the folder is not inside one of IMPORT_ROOTS')
  if (root.includes('\0') || !isAbsolute(root)) throw refused
  const real = await realpath(root).catch((error: unknown) => {
    // The answer says that a folder does not exist only for places that may be read.
    const allowed = [...roots, ...importRoots.map((folder) => resolve(folder))].some((folder) =>
      isInside(folder, resolve(root))
    )
    if (allowed && codeOf(error) === 'ENOENT')
      throw appError('object_not_found', 'the folder does not exist')
    throw refused
  })
  if (!roots.some((folder) => isInside(folder, real))) throw refused
  if (!(await stat(real)).isDirectory()) throw appError('invalid_request', 'root is not a folder')
  return real
}

const openFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/**
 * Opens a regular file of an import. Rejects with path_outside_root (also when a symlink leads out)
 * or image_missing. The caller closes the handle.
 */
export async function openInside(
  root: string,
  path: string
): Promise<{ handle: FileHandle; sizeBytes: number }> {
  const wanted = resolve(root, path)
  if (!isInside(root, wanted)) throw outside(path, 'the import root')
  let handle: FileHandle | undefined
  try {
    const real = await realpath(wanted)
    if (!isInside(root, real))
      throw outside(path, 'the import root: a symbolic link leads out of it')
    handle = await open(real, openFlags)
    const opened = await handle.stat()
    if (!opened.isFile()) throw appError('image_missing', `${path} is not a regular file`)
    // A folder on the path may have become a symlink since. The opened file must still be the file
    // inside the root.
    const [again, there] = [await realpath(real), await stat(real)]
    if (again !== real || there.ino !== opened.ino || there.dev !== opened.dev)
      throw outside(path, 'the import root')
    return { handle, sizeBytes: opened.size }
  } catch (error) {
    await handle?.close()
    const code = codeOf(error)
    if (code === 'ENOENT' || code === 'ENOTDIR')
      throw appError('image_missing', `${path} does not exist${nameHint(path)}`)
    if (code === 'EACCES' || code === 'EPERM')
      throw appError('image_missing', `${path} may not be read`)
    if (code === 'ELOOP') throw outside(path, 'the import root')
    if (code === 'ENAMETOOLONG' || code === 'ENXIO' || code === 'EINVAL')
      throw appError('image_missing', `${path} is not a readable file`)
    throw error
  }
}

/** Node reads the bytes of a file name that are not UTF-8 as this character. */
const nameHint = (path: string): string =>
  path.includes('\uFFFD') ? ': its name on disk may not be UTF-8, rename the file' : ''

export const childPath = (folder: string, name: string): string =>
  folder === '' ? name : join(folder, name)
