// Local copies of immutable files. Each is downloaded once, checked against its sha256 before use,
// and removed when no longer used.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileRef } from '../version/manifest.ts'
import { BlockSums } from './block-sums.ts'
import { CheckedFile, type Copy } from './checked-file.ts'

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

/** Returns undefined when there is no such file. */
async function sha256OfFile(path: string, sums?: BlockSums): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      sums?.update(chunk)
    }
    sums?.end()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
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
    const stream = await store.getStream(ref.key)
    if (stream === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
    const hash = createHash('sha256')
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        sums?.update(chunk)
        downloadedBytes += chunk.length
        done(null, chunk)
      }
    })
    const temporary = `${path}.${createUlid()}.part`
    try {
      await pipeline(stream, check, createWriteStream(temporary))
      if (hash.digest('hex') !== ref.sha256)
        throw appError('data_corrupt', `${ref.key} does not match its checksum`)
      sums?.end()
      await rename(temporary, path)
    } finally {
      await rm(temporary, { force: true })
    }
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
