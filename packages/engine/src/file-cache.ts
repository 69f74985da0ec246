// Local copies of immutable files: each downloaded once, checked against its sha256 before anyone opens it, removed when nothing uses it.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { createUlid } from '@likeness/shared/ulid'
import type { FileRef } from './manifest.ts'

export interface FileCache {
  /** Path of a whole, checked copy. object_not_found when the store has none (any more), data_corrupt when it is another content. */
  path(ref: FileRef): Promise<string>
  drop(refs: readonly FileRef[]): Promise<void>
  /** A new path in the same folder, for files that are being made. */
  scratchPath(): Promise<string>
  /** Bytes downloaded so far: what an update cost. */
  readonly downloadedBytes: number
}

async function sha256OfFile(path: string): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
  return hash.digest('hex')
}

export function createFileCache({ store, dir }: { store: ObjectStore; dir: string }): FileCache {
  const under = new Map<string, Promise<string>>()
  let downloadedBytes = 0
  // Keys are c/{incarnation}/{seg|del|side}/{unique name}: the last part is unique across collections.
  const localPath = (ref: FileRef): string => join(dir, ref.key.slice(ref.key.lastIndexOf('/') + 1))

  async function download(ref: FileRef): Promise<string> {
    const path = localPath(ref)
    if ((await sha256OfFile(path)) === ref.sha256) return path
    await mkdir(dir, { recursive: true })
    const stream = await store.getStream(ref.key)
    if (stream === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
    const hash = createHash('sha256')
    const check = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        downloadedBytes += chunk.length
        done(null, chunk)
      }
    })
    const temporary = `${path}.${createUlid()}.part`
    try {
      await pipeline(stream, check, createWriteStream(temporary))
      if (hash.digest('hex') !== ref.sha256) throw appError('data_corrupt', `${ref.key} does not match its checksum`)
      await rename(temporary, path)
    } finally {
      await rm(temporary, { force: true })
    }
    return path
  }

  return {
    path(ref) {
      const running = under.get(ref.key)
      if (running !== undefined) return running
      const started = download(ref).finally(() => under.delete(ref.key))
      under.set(ref.key, started)
      return started
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
