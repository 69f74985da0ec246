// Paths of a directory store: objects/ mirrors the keys; versions/ and tmp/ belong to the store.
import path from 'node:path'

export interface DirectoryPaths {
  root: string
  /** Temporary files and directories; cleaned up by age. */
  tmp: string
  objects: string
  versions: string
  /** Returns the file of a key. */
  object(key: string): string
  /**
   * Returns the directory with the entries that follow a prefix. The prefix is '' or ends in '/'.
   */
  prefix(prefix: string): string
  /** Returns the directory with the conditional rewrites of one write of a key. */
  versionsOf(etag: string): string
}

export function directoryPaths(root: string): DirectoryPaths {
  const objects = path.join(root, 'objects')
  const versions = path.join(root, 'versions')
  const prefixPath = (prefix: string) =>
    [
      objects,
      ...prefix
        .split('/')
        .slice(0, -1)
        .map((segment) => `${segment}~`)
    ].join('/')
  return {
    root,
    tmp: path.join(root, 'tmp'),
    objects,
    versions,
    object: (key) => `${prefixPath(key)}/${objectFileName(key.slice(key.lastIndexOf('/') + 1))}`,
    prefix: prefixPath,
    versionsOf: (etag) => path.join(versions, etag)
  }
}

/**
 * Returns the file name of the last part of a key. "a" may be an object and the prefix of "a/b" at
 * once, so a prefix becomes the directory "a~". No object's file ends in "~": a name that ends in
 * "~" and any number of "=" gets one more "=".
 */
function objectFileName(segment: string): string {
  return /~=*$/.test(segment) ? `${segment}=` : segment
}

/**
 * Returns the part of the key that a directory entry stands for, with a final '/' for a prefix. The
 * reverse of objectFileName.
 */
export function segmentOf(entryName: string): string {
  if (entryName.endsWith('~')) return `${entryName.slice(0, -1)}/`
  return /~=+$/.test(entryName) ? entryName.slice(0, -1) : entryName
}
