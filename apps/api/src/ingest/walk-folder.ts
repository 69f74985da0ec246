// Walks every file below a folder, in name order. Symlinked folders are not entered, so that a walk
// ends.
import type { Dirent } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { appError } from '@likeness/shared/errors'
import { childPath } from './import-root.ts'

async function entriesOf(root: string, folder: string): Promise<Dirent[]> {
  const entries = await readdir(join(root, folder), { withFileTypes: true })
  return entries
    .filter((entry) => !entry.name.startsWith('.'))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

/**
 * True for a symlink to a folder, which is passed over. A broken symlink is yielded, and fails at
 * the open.
 */
async function isFolderLink(root: string, path: string): Promise<boolean> {
  const target = await stat(join(root, path)).catch(() => undefined)
  return target?.isDirectory() ?? false
}

/** Paths relative to `root` of all files, except dot files and dot folders. */
export async function* walkFolder(root: string, folder = '', depth = 0): AsyncGenerator<string> {
  if (depth > 64) throw appError('invalid_request', `${folder}: folders nest deeper than 64`)
  for (const entry of await entriesOf(root, folder)) {
    const path = childPath(folder, entry.name)
    if (entry.isDirectory()) yield* walkFolder(root, path, depth + 1)
    else if (entry.isFile()) yield path
    else if (entry.isSymbolicLink() && !(await isFolderLink(root, path))) yield path
  }
}
