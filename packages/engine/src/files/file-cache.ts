// Local copies of immutable files. Each is downloaded once, checked before use, and stays until it
// is dropped: a process that starts again over the same folder finds it.
import { mkdir, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { createUlid } from '@likeness/shared/data/ulid'
import type { Logger } from '@likeness/shared/process/logger'
import { isOutOfSpace } from '@likeness/shared/process/machine-failure'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileRef } from '../version/manifest.ts'
import { BlockSums } from './block-sums.ts'
import { CheckedFile, type Copy } from './checked-file.ts'
import { downloadChecked, sha256OfFile } from './download.ts'
import { keepSums, readKeptSums, sumsPath } from './kept-sums.ts'

export interface FileCache {
  /**
   * Returns the path of a whole, checked copy, for reading at once. Throws object_not_found when
   * the store does not have the file (any more), data_corrupt when its content differs.
   */
  path(ref: FileRef): Promise<string>
  /**
   * Opens the same copy for reading over a long time: each block is checked when it is read. Drop it
   * after closing.
   */
  open(ref: FileRef): Promise<CheckedFile>
  drop(refs: readonly FileRef[]): Promise<void>
  /** Removes all other files. Nothing else may use the folder meanwhile. */
  keepOnly(refs: readonly FileRef[]): Promise<void>
  /** Returns a new path in the same folder, for a file under construction. */
  scratchPath(): Promise<string>
  /** Bytes downloaded so far: the cost of an update. */
  readonly downloadedBytes: number
}

export interface FileCacheDeps {
  store: ObjectStore
  /** A folder of this process alone. */
  dir: string
  logger?: Logger
  /** Called with the bytes of each download. */
  onDownload?: (bytes: number) => void
  /** Called when the disk is full. Returns whether there is more room now. */
  makeRoom?: () => Promise<boolean>
}

/** Smaller files are read whole at the next start: that takes a millisecond. */
const sumsKeptFromBytes = 1024 * 1024

export function createFileCache({
  store,
  dir,
  logger,
  onDownload,
  makeRoom
}: FileCacheDeps): FileCache {
  const under = new Map<string, Promise<string>>()
  let downloadedBytes = 0
  // Keys are c/{incarnation}/{seg|del|side}/{unique name}. The last part is unique across
  // collections.
  const nameOf = (ref: FileRef): string => ref.key.slice(ref.key.lastIndexOf('/') + 1)
  const localPath = (ref: FileRef): string => join(dir, nameOf(ref))

  async function pathOf(ref: FileRef): Promise<string> {
    const path = localPath(ref)
    if ((await sha256OfFile(path)) !== ref.sha256) await download(ref, path)
    return path
  }

  /** Reads a copy that is here whole. */
  async function copyOf(ref: FileRef): Promise<Copy> {
    const path = localPath(ref)
    let sums = new BlockSums()
    if ((await sha256OfFile(path, sums)) !== ref.sha256)
      await download(ref, path, () => (sums = new BlockSums()))
    if (ref.sizeBytes >= sumsKeptFromBytes) await keepSums(path, ref, sums)
    return { path, sums }
  }

  /** `newSums`: called before each try. */
  async function download(ref: FileRef, path: string, newSums?: () => BlockSums): Promise<void> {
    try {
      await downloadOnce(ref, path, newSums?.())
    } catch (error) {
      if (makeRoom === undefined || !isOutOfSpace(error) || !(await makeRoom())) throw error
      await downloadOnce(ref, path, newSums?.())
    }
  }

  async function downloadOnce(
    ref: FileRef,
    path: string,
    sums: BlockSums | undefined
  ): Promise<void> {
    await mkdir(dir, { recursive: true })
    await downloadChecked(store, ref, path, (chunk) => {
      sums?.update(chunk)
      downloadedBytes += chunk.length
    })
    sums?.end()
    onDownload?.(ref.sizeBytes)
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
      const path = localPath(ref)
      const sums = await readKeptSums(path, ref)
      return await CheckedFile.open(
        { key: ref.key, fetch: () => copyOf(ref), onDamage },
        sums === undefined ? await copyOf(ref) : { path, sums }
      )
    },
    async drop(refs) {
      await Promise.all(
        refs
          .map(localPath)
          .flatMap((path) => [rm(path, { force: true }), rm(sumsPath(path), { force: true })])
      )
    },
    async keepOnly(refs) {
      const wanted = new Set(refs.map(nameOf).flatMap((name) => [name, sumsPath(name)]))
      const found = await readdir(dir).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return []
        throw error
      })
      const others = found.filter((name) => !wanted.has(name))
      await Promise.all(others.map((name) => rm(join(dir, name), { recursive: true, force: true })))
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
