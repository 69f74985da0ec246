// The file on disk in which a directory store has an object as it is now, and damage to it.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectStore } from '@likeness/store/object-store'

const etagOf = (file: Buffer): string => file.subarray(-32, -16).toString('hex')

/** Path by key. An object that was swapped lies in a file of its own, which is known by its etag. */
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
  /** Byte of the file. */
  at: number
  /** undefined: the file ends there. */
  bit?: number
}

/** Returns what puts it back. */
export async function inflict({ path, at, bit }: Damage): Promise<() => Promise<void>> {
  const whole = await readFile(path)
  const changed = bit === undefined ? whole.subarray(0, at) : Buffer.from(whole)
  if (bit !== undefined) changed[at]! ^= 1 << bit
  await writeFile(path, changed)
  return () => writeFile(path, whole)
}
