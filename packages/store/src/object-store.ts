// The one interface to durable bytes. Two adapters (directory, S3) and a memory fake pass the same contract suite.
import type { Readable } from 'node:stream'

export interface ObjectInfo {
  key: string
  sizeBytes: number
  /** Only compared for equality. On S3 it is a function of the bytes: what is swapped by etag carries something unique. */
  etag: string
  lastModifiedMs: number
}

export interface StoredObject {
  body: Uint8Array
  etag: string
}

/** `create`: only if the key does not exist. `ifMatch`: only if the key still has this etag. */
export type PutCondition = { create: true } | { ifMatch: string }

/**
 * Strongly consistent object storage with conditional writes.
 *
 * Every method rejects with an AppError `store_unavailable` (retryable) when the outcome is unknown or the store
 * cannot be reached: an ambiguous write may have happened and may even land later.
 * A resolved write is durable (file and directory fsynced, or the PUT answered).
 * No key of ours is a prefix folder of another: VersityGW refuses `a/b` while `a` exists.
 * Keys are `/`-separated, non-empty segments of printable characters without `.` and `..` segments; others reject with `invalid_key`.
 */
export interface ObjectStore {
  /** `directory`, `s3`, `memory`: for messages and /readyz. */
  readonly kind: string
  /** undefined when the key does not exist. */
  get(key: string): Promise<StoredObject | undefined>
  /** Bytes [offset, offset + length) of an object, short at its end; undefined when the key does not exist. */
  getRange(key: string, offset: number, length: number): Promise<Uint8Array | undefined>
  /** Undefined when the key does not exist. The caller must consume or destroy the stream. */
  getStream(key: string): Promise<Readable | undefined>
  head(key: string): Promise<ObjectInfo | undefined>
  /** Unconditional write; last one wins. */
  put(key: string, body: Uint8Array): Promise<{ etag: string }>
  /** Conditional write of a small object (<= 5 MiB). undefined when the condition did not hold. */
  putIf(
    key: string,
    body: Uint8Array,
    condition: PutCondition
  ): Promise<{ etag: string } | undefined>
  /**
   * Writes a stream under a unique key, bounded: past `maxBytes` it rejects with `too_large` and leaves no object.
   * Never conditional (multipart completions ignore conditions). An error of `body` itself is passed on unchanged.
   */
  putStream(
    key: string,
    body: Readable,
    options: { maxBytes: number }
  ): Promise<{ sizeBytes: number; sha256: string }>
  /** Keys under a prefix in ascending byte order, strictly after `startAfter`. */
  list(prefix: string, options?: { startAfter?: string }): AsyncIterable<ObjectInfo>
  /** Missing keys are fine. */
  delete(keys: readonly string[]): Promise<void>
  close(): Promise<void>
}
