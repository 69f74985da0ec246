// Finds the file on disk that contains the current version of an object in a directory store, and
// damages that file.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '@likeness/store/object-store'

const etagOf = (file: Buffer): string => file.subarray(-32, -16).toString('hex')

/** Returns the path of each key. A swapped object has a separate file, which the etag names. */
export async function filesOf(
  store: ObjectStore,
  root: string,
  keys: Iterable<string>
): Promise<Map<string, string>> {
  const byEtag = new Map<string, string>()
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    if (entry.isFile()) byEtag.set(etagOf(await readFile(path)), path)
  }
  const paths = new Map<string, string>()
  for (const key of keys) {
    const path = byEtag.get((await store.head(key))!.etag)
    if (path === undefined) throw new Error(`no file has what is under ${key}`)
    paths.set(key, path)
  }
  return paths
}

export interface Damage {
  path: string
  /** Byte position in the file. */
  at: number
  /** Bit to flip. undefined: the file is cut at `at`. */
  bit?: number
}

/** Damages the file. Returns a function that restores it. */
export async function inflict({ path, at, bit }: Damage): Promise<() => Promise<void>> {
  const whole = await readFile(path)
  const changed = bit === undefined ? whole.subarray(0, at) : Buffer.from(whole)
  if (bit !== undefined) changed[at]! ^= 1 << bit
  await writeFile(path, changed)
  return () => writeFile(path, whole)
}
