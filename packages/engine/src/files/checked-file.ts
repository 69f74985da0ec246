// A local copy of a stored file, read in pieces while a segment is loaded. Damage on its disk is
// noticed: each block that is read is compared with the download. A damaged copy is fetched once
// more.
import { appError, isAppError } from '@likeness/shared/errors'
import { blockBuffer, blockBytes, type BlockSums } from './block-sums.ts'
import type { ByteReader } from './byte-reader.ts'
import { LocalFile } from './local-file.ts'

export interface Copy {
  path: string
  sums: BlockSums
}
export interface CopySource {
  key: string
  /**
   * Fetches a whole, checked copy and returns its path. An existing file there is replaced. Throws
   * object_not_found, data_corrupt, store_unavailable.
   */
  fetch(): Promise<Copy>
  /** Called when a copy is found to be damaged. */
  onDamage(): void
}

export class CheckedFile implements ByteReader {
  private readonly source: CopySource
  private copy: Copy
  private local: LocalFile
  private healing: Promise<void> | undefined
  private closed = false

  private constructor(source: CopySource, copy: Copy, local: LocalFile) {
    this.source = source
    this.copy = copy
    this.local = local
  }

  static async open(source: CopySource, copy: Copy): Promise<CheckedFile> {
    return new CheckedFile(source, copy, await LocalFile.open(copy.path))
  }

  get sizeBytes(): number {
    return this.copy.sums.sizeBytes
  }

  /**
   * Throws data_corrupt when both this copy and the next one are damaged, or when the file is too
   * short.
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset + length > this.sizeBytes)
      throw appError('data_corrupt', `${this.source.key} ends before byte ${offset + length}`)
    const { local } = this
    const body =
      (await this.readChecked(offset, length)) ?? (await this.readAgain(local, offset, length))
    if (body === undefined)
      throw appError(
        'data_corrupt',
        `the local copy of ${this.source.key} is damaged, and so is the next one`
      )
    return body
  }

  private async readChecked(offset: number, length: number): Promise<Uint8Array | undefined> {
    const first = Math.floor(offset / blockBytes)
    const start = first * blockBytes
    const blocks = blockBuffer(Math.ceil((offset + length) / blockBytes) - first)
    const wanted = Math.min(blocks.byteLength, this.sizeBytes - start)
    const { sums } = this.copy
    if (
      !(await isFilled(this.local, blocks.subarray(0, wanted), start)) ||
      !sums.agree(blocks, first)
    )
      return undefined
    return blocks.subarray(offset - start, offset - start + length)
  }

  /** `local`: the damaged copy. Another read may have replaced it by now. */
  private async readAgain(
    local: LocalFile,
    offset: number,
    length: number
  ): Promise<Uint8Array | undefined> {
    if (this.closed)
      throw appError('data_corrupt', `the local copy of ${this.source.key} was damaged`)
    if (this.local === local)
      await (this.healing ??= this.heal().finally(() => (this.healing = undefined)))
    return await this.readChecked(offset, length)
  }

  private async heal(): Promise<void> {
    this.source.onDamage()
    const damaged = this.local
    this.copy = await this.fetchAgain()
    this.local = await LocalFile.open(this.copy.path)
    // Waits for reads from the damaged copy.
    await damaged.close()
  }

  private async fetchAgain(): Promise<Copy> {
    try {
      return await this.source.fetch()
    } catch (error) {
      // The file belongs to a version that was collected since, so there is no other copy.
      if (!isAppError(error, 'object_not_found')) throw error
      throw appError(
        'data_corrupt',
        `the local copy of ${this.source.key} is damaged, and the store has none any more`,
        { cause: error }
      )
    }
  }

  async close(): Promise<void> {
    this.closed = true
    await this.healing?.catch(() => undefined)
    await this.local.close()
  }
}

/** Returns false for a disk that answers with an error, as for one that returns too few bytes. */
async function isFilled(local: LocalFile, out: Uint8Array, position: number): Promise<boolean> {
  try {
    await local.fill(out, position)
    return true
  } catch (error) {
    if (isAppError(error, 'data_corrupt') || (error as NodeJS.ErrnoException).code === 'EIO')
      return false
    throw error
  }
}
