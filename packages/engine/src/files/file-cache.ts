// Local copies of immutable files. Each is downloaded once, checked against its sha256 before use,
// and removed when no longer used.
import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileRef } from '../version/manifest.ts'
import { BlockSums } from './block-sums.ts'
import { CheckedFile, type Copy } from './checked-file.ts'
import { downloadChecked, sha256OfFile } from './download.ts'

export interface FileCache {
  /**
   * Returns the path of a whole, checked copy, for reading at once. Throws object_not_found when
   * the store does not have the file (any more), data_corrupt when its content differs.
   */
  path(ref: FileRef): Promise<string>
  /** Opens the same copy for reading over a long time. Drop it after closing. */
  open(ref: FileRef): Promise<CheckedFile>
  drop(refs: readonly FileRef[]): Promise<void>
  /** Returns a new path in the same folder, for a file under construction. */
  scratchPath(): Promise<string>
  /** Bytes downloaded so far: the cost of an update. */
  readonly downloadedBytes: number
}

export function createFileCache({
  store,
  dir,
  logger
}: {
  store: ObjectStore
  dir: string
  logger?: Logger
}): FileCache {
  const under = new Map<string, Promise<string>>()
  let downloadedBytes = 0
  // Keys are c/{incarnation}/{seg|del|side}/{unique name}. The last part is unique across
  // collections.
  const localPath = (ref: FileRef): string => join(dir, ref.key.slice(ref.key.lastIndexOf('/') + 1))

  async function pathOf(ref: FileRef): Promise<string> {
    const path = localPath(ref)
    if ((await sha256OfFile(path)) !== ref.sha256) await download(ref, path)
    return path
  }

  async function copyOf(ref: FileRef): Promise<Copy> {
    const path = localPath(ref)
    const found = new BlockSums()
    if ((await sha256OfFile(path, found)) === ref.sha256) return { path, sums: found }
    const sums = new BlockSums()
    await download(ref, path, sums)
    return { path, sums }
  }

  async function download(ref: FileRef, path: string, sums?: BlockSums): Promise<void> {
    await mkdir(dir, { recursive: true })
    await downloadChecked(store, ref, path, (chunk) => {
      sums?.update(chunk)
      downloadedBytes += chunk.length
    })
    sums?.end()
  }

  return {
    path(ref) {
      const running = under.get(ref.key)
      if (running !== undefined) return running
      const started = pathOf(ref).finally(() => under.delete(ref.key))
      under.set(ref.key, started)
      return started
    },
    async open(ref) {
      const onDamage = () =>
        logger?.warn(
          { key: ref.key, dir },
          'a local copy was damaged on its disk, it is fetched again'
        )
      return await CheckedFile.open(
        { key: ref.key, fetch: () => copyOf(ref), onDamage },
        await copyOf(ref)
      )
    },
    async drop(refs) {
      await Promise.all(refs.map((ref) => rm(localPath(ref), { force: true })))
    },
    async scratchPath() {
      await mkdir(dir, { recursive: true })
      return join(dir, `${createUlid()}.scratch`)
    },
    get downloadedBytes() {
      return downloadedBytes
    }
  }
}
