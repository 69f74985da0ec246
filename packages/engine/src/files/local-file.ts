// A file that is read in places all the time, mostly where it was read before.
import { type FileHandle, open } from 'node:fs/promises'
import { readCached } from '@likeness/faiss'
import { appError } from '@likeness/shared/errors'
import type { ByteReader } from './byte-reader.ts'

export class LocalFile implements ByteReader {
  readonly size: number
  private readonly file: FileHandle

  private constructor(file: FileHandle, size: number) {
    this.file = file
    this.size = size
  }

  static async open(path: string): Promise<LocalFile> {
    const file = await open(path)
    try {
      return new LocalFile(file, (await file.stat()).size)
    } catch (error) {
      await file.close()
      throw error
    }
  }

  /** Fills `out`; data_corrupt when the file ends before. A read through a thread takes ten times as long as one of what is in memory. */
  async fill(out: Uint8Array, position: number): Promise<void> {
    if (readCached(this.file.fd, position, out)) return
    const { bytesRead } = await this.file.read(out, 0, out.length, position)
    if (bytesRead !== out.length)
      throw appError(
        'data_corrupt',
        `a local file has ${this.size} bytes and ends before ${position + out.length}`
      )
  }

  /** As fill. */
  async read(offset: number, length: number): Promise<Uint8Array> {
    const body = new Uint8Array(length)
    await this.fill(body, offset)
    return body
  }

  async close(): Promise<void> {
    await this.file.close()
  }
}
