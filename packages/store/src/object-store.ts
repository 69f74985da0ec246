// The only interface to durable bytes. Two adapters (directory, S3) and a memory fake pass the same
// contract suite.
import type { Readable } from 'node:stream'

export interface ObjectInfo {
  key: string
  sizeBytes: number
  /**
   * Compare etags only for equality. On S3 the etag is a function of the bytes, so an object that
   * is swapped by etag must carry something unique.
   */
  etag: string
  lastModifiedMs: number
}

export interface StoredObject {
  body: Uint8Array
  etag: string
}

/**
 * `create`: write only if the key does not exist. `ifMatch`: write only if the key still has this
 * etag.
 */
export type PutCondition = { create: true } | { ifMatch: string }

/**
 * Strongly consistent object storage with conditional writes.
 *
 * Every method rejects with an AppError `store_unavailable` (retryable) when the store cannot be
 * reached or the result is unknown. An ambiguous write may have happened, and may even land later.
 * A resolved write is durable (file and directory fsynced, or the PUT answered).
 * No key of ours is a prefix folder of another: VersityGW refuses `a/b` while `a` exists.
 * Keys are `/`-separated, non-empty segments of printable characters without `.` and `..` segments;
 * others reject with `invalid_key`.
 */
export interface ObjectStore {
  /** `directory`, `s3` or `memory`: for messages and /readyz. */
  readonly kind: string
  /** Returns undefined when the key does not exist. */
  get(key: string): Promise<StoredObject | undefined>
  /**
   * Returns the bytes [offset, offset + length) of an object, fewer at its end, or undefined when
   * the key does not exist.
   */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array | undefined>
  /**
   * Returns undefined when the key does not exist. The caller must consume or destroy the stream.
   */
  getStream(key: string): Promise<Readable | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** Writes without a condition; the last write wins. */
  put(key: string, body: Uint8Array): Promise<{ etag: string }>
  /**
   * Writes a small object (<= 5 MiB) under a condition. Returns undefined when the condition does
   * not hold.
   */
  putIf(
    key: string,
    body: Uint8Array,
    condition: PutCondition
  ): Promise<{ etag: string } | undefined>
  /**
   * Writes a stream under a unique key. Past `maxBytes` the call rejects with `too_large` and
   * leaves no object. The write is never conditional, because multipart completions ignore
   * conditions. An error of `body` itself is passed on unchanged.
   */
  putStream(
    key: string,
    body: Readable,
    options: { maxBytes: number }
  ): Promise<{ sizeBytes: number; sha256: string }>
  /**
   * Lists the objects whose keys have a prefix, in ascending byte order of the keys, strictly after
   * `startAfter` and before `before`.
   */
  list(
    prefix: string,
    options?: { startAfter?: string; before?: string }
  ): AsyncIterable<ObjectInfo>
  /** Missing keys are allowed. */
  delete(keys: readonly string[]): Promise<void>
  close(): Promise<void>
}
