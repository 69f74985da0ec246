// The file of one object: the body, then 32 bytes that name the write. They are at the end, so that
// pictures still open. They are checked, because a wrong id would lead to another version of the
// object. The body is not: objects check themselves.
import { createHash, randomBytes } from 'node:crypto'
import { type FileHandle, open, rm } from 'node:fs/promises'
import path from 'node:path'
import { appError } from '@likeness/shared/errors'

const magic = 'LKNS-OB2'
const trailerBytes = 32

export interface ObjectFile {
  handle: FileHandle
  etag: string
  sizeBytes: number
  lastModifiedMs: number
  /**
   * Identity of the inode. While the handle is open, the system cannot give this inode to another
   * file.
   */
  inode: string
}

export interface TempFile {
  path: string
  handle: FileHandle
  write(chunk: Uint8Array): Promise<void>
  /** Writes the trailer, makes the file durable and closes it. */
  finish(): Promise<{ etag: string; sizeBytes: number }>
  /** Closes the file, and removes it if the temporary name still exists. */
  discard(): Promise<void>
}

/** Returns a name that was never used before. Also the etag of a write: 32 hex digits. */
export function uniqueName(): string {
  return randomBytes(16).toString('hex')
}

export async function createTempFile(tmpDirectory: string): Promise<TempFile> {
  const etag = uniqueName()
  const tempPath = path.join(tmpDirectory, etag)
  const handle = await open(tempPath, 'wx')
  let sizeBytes = 0
  let closed = false
  const write = async (bytes: Uint8Array) => {
    for (let done = 0; done < bytes.byteLength; )
      done += (await handle.write(bytes, done)).bytesWritten
  }
  return {
    path: tempPath,
    handle,
    async write(chunk) {
      await write(chunk)
      sizeBytes += chunk.byteLength
    },
    async finish() {
      await write(trailer(etag, sizeBytes))
      await handle.sync()
      closed = true
      await handle.close()
      return { etag, sizeBytes }
    },
    async discard() {
      if (!closed) await handle.close()
      await rm(tempPath, { force: true })
    }
  }
}

/** Writes the whole body as a finished temporary file. */
export async function writeTempFile(
  tmpDirectory: string,
  body: Uint8Array
): Promise<{ path: string; etag: string }> {
  const temp = await createTempFile(tmpDirectory)
  try {
    await temp.write(body)
    const { etag } = await temp.finish()
    return { path: temp.path, etag }
  } catch (error) {
    await temp.discard()
    throw error
  }
}

/**
 * Returns undefined when there is no such file. Rejects with `data_corrupt` when the file was not
 * written whole by this store.
 */
export async function openObjectFile(filePath: string): Promise<ObjectFile | undefined> {
  const handle = await openExisting(filePath)
  if (!handle) return undefined
  try {
    const stats = await handle.stat()
    const sizeBytes = stats.size - trailerBytes
    const bytes = sizeBytes < 0 ? Buffer.alloc(0) : await readBytes(handle, sizeBytes, trailerBytes)
    const etag = bytes.subarray(0, 16).toString('hex')
    if (!stats.isFile() || !bytes.equals(trailer(etag, sizeBytes))) {
      throw appError('data_corrupt', `${filePath} is not an object this store wrote whole.`)
    }
    return {
      handle,
      etag,
      sizeBytes,
      lastModifiedMs: Math.floor(stats.mtimeMs),
      inode: `${stats.dev}:${stats.ino}`
    }
  } catch (error) {
    await handle.close()
    throw error
  }
}

export async function readBytes(
  handle: FileHandle,
  offset: number,
  length: number
): Promise<Buffer> {
  const bytes = Buffer.allocUnsafe(length)
  let done = 0
  while (done < length) {
    const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
    if (bytesRead === 0) break
    done += bytesRead
  }
  return bytes.subarray(0, done)
}

export function isMissing(error: unknown): boolean {
  return hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')
}

export function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && (error as NodeJS.ErrnoException).code === code
}

async function openExisting(filePath: string): Promise<FileHandle | undefined> {
  try {
    return await open(filePath, 'r')
  } catch (error) {
    if (isMissing(error)) return undefined
    throw error
  }
}

function trailer(etag: string, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(trailerBytes)
  if (etag.length === 32) bytes.write(etag, 0, 'hex')
  bytes.writeBigUInt64LE(BigInt(Math.max(0, sizeBytes)), 16)
  createHash('sha256').update(magic).update(bytes.subarray(0, 24)).digest().copy(bytes, 24, 0, 8)
  return bytes
}
