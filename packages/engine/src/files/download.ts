// A file of the store on the local disk: downloaded whole and checked, or not there at all.
import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { rename, rm } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileRef } from '../version/manifest.ts'
import type { BlockSums } from './block-sums.ts'

/** Returns undefined when there is no such file, or when its disk cannot read it. */
export async function sha256OfFile(path: string, sums?: BlockSums): Promise<string | undefined> {
  const hash = createHash('sha256')
  try {
    for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
      hash.update(chunk)
      sums?.update(chunk)
    }
    sums?.end()
  } catch (error) {
    if (['ENOENT', 'EIO'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
  return hash.digest('hex')
}

/** `onChunk`: called with every piece, also of a content that turns out to be another. */
export async function downloadChecked(
  store: ObjectStore,
  ref: FileRef,
  path: string,
  onChunk: (chunk: Buffer) => void
): Promise<void> {
  const stream = await store.getStream(ref.key)
  if (stream === undefined) throw appError('object_not_found', `${ref.key} is not in the store`)
  const hash = createHash('sha256')
  const check = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk)
      onChunk(chunk)
      done(null, chunk)
    }
  })
  const temporary = `${path}.${createUlid()}.part`
  try {
    await pipeline(stream, check, createWriteStream(temporary))
    if (hash.digest('hex') !== ref.sha256)
      throw appError('data_corrupt', `${ref.key} does not match its checksum`)
    await rename(temporary, path)
  } finally {
    await rm(temporary, { force: true })
  }
}
