// The collection name of an index_dir: readable, and different for each folder.
import { realpathSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { sha256Hex } from '@likeness/shared/data/sha256'

/** Resolves symlinks as far as the path exists. */
function realPath(path: string): string {
  try {
    return realpathSync(path)
  } catch {
    const parent = dirname(path)
    return parent === path ? path : join(realPath(parent), basename(path))
  }
}

const slugOf = (text: string): string =>
  text
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')

/** Letters of other scripts and the end of long names are dropped; the hash tells folders apart. */
export function collectionNameOf(indexDir: string): string {
  const real = realPath(indexDir)
  const slug = slugOf(`${basename(dirname(real))} ${basename(real)}`)
    .slice(0, 50)
    .replace(/-+$/, '')
  return `${slug === '' ? 'gallery' : slug}-${sha256Hex(real).slice(0, 8)}`
}
