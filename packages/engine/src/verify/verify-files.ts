// Files and problems of a verification. Files are fetched once, checked against their reference,
// and opened locally.
import { readFile } from 'node:fs/promises'
import { ZodError } from 'zod'
import { FaissError } from '@likeness/faiss'
import { isAppError, messageOf } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { createFileCache, type FileCache } from '../files/file-cache.ts'
import type { FileRef } from '../version/manifest.ts'

/**
 * `missing`: the file is not in the store. `size`, `checksum`: the bytes differ from the written
 * ones. `content`: the bytes have wrong content. `count`: numbers do not add up. `duplicate`: an
 * item is live twice.
 */
export type ProblemCode = 'missing' | 'size' | 'checksum' | 'content' | 'count' | 'duplicate'
export interface Problem {
  code: ProblemCode
  /** Key of the file with the problem. */
  key: string
  message: string
}

export interface VerifyFilesDeps {
  store: ObjectStore
  scratchDir: string
  onProgress?: (progress: { files: number; bytes: number }) => void
}

const isContentError = (error: unknown): boolean =>
  isAppError(error, 'data_corrupt') ||
  error instanceof FaissError ||
  error instanceof SyntaxError ||
  error instanceof RangeError ||
  error instanceof ZodError

export class VerifyFiles {
  readonly store: ObjectStore
  readonly problems: Problem[] = []
  files = 0
  bytes = 0
  private readonly cache: FileCache
  private readonly onProgress: VerifyFilesDeps['onProgress']

  constructor({ store, scratchDir, onProgress }: VerifyFilesDeps) {
    this.store = store
    this.cache = createFileCache({ store, dir: scratchDir })
    this.onProgress = onProgress
  }

  problem(code: ProblemCode, key: string, message: string): void {
    this.problems.push({ code, key, message })
  }

  expect(holds: boolean, code: ProblemCode, key: string, message: string): void {
    if (!holds) this.problem(code, key, message)
  }

  saw(sizeBytes: number): void {
    this.files++
    this.bytes += sizeBytes
    this.onProgress?.({ files: this.files, bytes: this.bytes })
  }

  /** Returns the result of `check`, or undefined with a problem when the content is wrong. */
  async content<T>(key: string, check: () => T | Promise<T>): Promise<T | undefined> {
    try {
      return await check()
    } catch (error) {
      if (!isContentError(error)) throw error
      this.problem('content', key, messageOf(error))
      return undefined
    }
  }

  /**
   * Calls `use` with a local copy and returns the result, or undefined with a problem when the file
   * is missing, incomplete or wrong.
   */
  async open<T>(ref: FileRef, use: (path: string) => T | Promise<T>): Promise<T | undefined> {
    const path = await this.fetch(ref)
    if (path === undefined) return undefined
    try {
      return await this.content(ref.key, () => use(path))
    } finally {
      await this.cache.drop([ref])
    }
  }

  read<T>(ref: FileRef, use: (body: Uint8Array) => T | Promise<T>): Promise<T | undefined> {
    return this.open(ref, async (path) => await use(new Uint8Array(await readFile(path))))
  }

  /** The same for a file that may be gone by now. */
  async readIfThere<T>(ref: FileRef, use: (body: Uint8Array) => T): Promise<T | undefined> {
    return (await this.store.head(ref.key)) === undefined ? undefined : await this.read(ref, use)
  }

  private async fetch(ref: FileRef): Promise<string | undefined> {
    const { key, sizeBytes } = ref
    try {
      const info = await this.store.head(key)
      if (info !== undefined) this.saw(info.sizeBytes)
      if (info !== undefined && info.sizeBytes !== sizeBytes) {
        this.problem('size', key, `${info.sizeBytes} bytes, the manifest says ${sizeBytes}`)
        return undefined
      }
      return await this.cache.path(ref)
    } catch (error) {
      if (isAppError(error, 'object_not_found')) this.problem('missing', key, 'not in the store')
      else if (isAppError(error, 'data_corrupt'))
        this.problem('checksum', key, 'does not match its sha256')
      else throw error
      return undefined
    }
  }
}
