// Walks every file below a folder, in name order. Symlinked folders are not entered, so that a walk
// ends.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ItemFailure } from '@likeness/shared/contract/item-list'
import { maxFolderDepth } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'
import { childPath } from './import-root.ts'

export interface WalkedFile {
  /** Relative to the root. */
  path: string
  /** Set for a folder that cannot be read: its pictures are not passed over in silence. */
  failure?: ItemFailure
}

async function entriesOf(root: string, folder: string): Promise<Dirent[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  return entries
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/** Returns the entries of a folder, or the reason why it cannot be read. */
async function readFolder(root: string, folder: string): Promise<Dirent[] | ItemFailure> {
  try {
    return await entriesOf(root, folder)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    // The folder was listed a moment ago: somebody has removed or replaced it since.
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    const isKnown = code === 'EACCES' || code === 'EPERM' || code === 'ENAMETOOLONG'
    if (isKnown && folder === '')
      throw appError('invalid_request', `the folder of the import may not be read (${code})`)
    if (isKnown)
      return { code: 'image_missing', message: `the folder ${folder} may not be read (${code})` }
    throw error
  }
}

/**
 * True for a symlink to a folder, which is passed over. A broken symlink is yielded, and fails at
 * the open.
 */
async function isFolderLink(root: string, path: string): Promise<boolean> {
  const target = await stat(join(root, path)).catch(() => undefined)
  return target?.isDirectory() ?? false
}

/** Yields all files below `root`, except dot files and dot folders. */
export async function* walkFolder(
  root: string,
  folder = '',
  depth = 0
): AsyncGenerator<WalkedFile> {
  if (depth > maxFolderDepth)
    throw appError('invalid_request', `${folder}: folders nest deeper than ${maxFolderDepth}`)
  const entries = await readFolder(root, folder)
  if (!Array.isArray(entries)) return void (yield { path: folder, failure: entries })
  for (const entry of entries) {
    const path = childPath(folder, entry.name)
    if (entry.isDirectory()) yield* walkFolder(root, path, depth + 1)
    else if (entry.isFile()) yield { path }
    else if (entry.isSymbolicLink() && !(await isFolderLink(root, path))) yield { path }
  }
}
