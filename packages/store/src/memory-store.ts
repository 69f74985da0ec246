// An object store in a Map, for unit tests and the simulation. No timers, no randomness: the same
// calls give the same answers.
import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { checkKey, checkPrefix, compareKeys } from './object-key.ts'
import type { ObjectInfo, ObjectStore, PutCondition } from './object-store.ts'
import { checkConditionalSize, checkRange, streamTooLarge } from './store-failure.ts'

export interface MemoryStoreOptions {
  /** Clock of lastModifiedMs. By default it counts writes, so that runs are repeatable. */
  now?: () => number
  /**
   * `content`: two writes of the same bytes have the same etag, as in S3. `unique`: every write has
   * its own etag, as in the directory store.
   */
  etags?: 'unique' | 'content'
}

interface Entry {
  body: Uint8Array
  etag: string
  lastModifiedMs: number
}

export function createMemoryStore(options: MemoryStoreOptions = {}): ObjectStore {
  const objects = new Map<string, Entry>()
  let writes = 0
  const now = options.now ?? (() => writes)

  function write(key: string, body: Uint8Array): { etag: string } {
    writes += 1
    const etag =
      options.etags === 'content' ? createHash('md5').update(body).digest('hex') : `m${writes}`
    objects.set(key, { body: Uint8Array.from(body), etag, lastModifiedMs: now() })
    return { etag }
  }

  return {
    kind: 'memory',

    async get(key) {
      const entry = objects.get(checked(key))
      return entry && { body: Uint8Array.from(entry.body), etag: entry.etag }
    },

    async getRange(key, offset, length) {
      checkRange(offset, length)
      return objects.get(checked(key))?.body.slice(offset, offset + length)
    },

    async getStream(key) {
      const entry = objects.get(checked(key))
      return (
        entry &&
        Readable.from(entry.body.byteLength === 0 ? [] : [Buffer.from(entry.body)], {
          objectMode: false
        })
      )
    },

    async head(key) {
      const entry = objects.get(checked(key))
      return entry && info(key, entry)
    },

    async put(key, body) {
      return write(checked(key), body)
    },

    async putIf(key, body, condition) {
      checkConditionalSize(checked(key), body)
      return holds(condition, objects.get(key)) ? write(key, body) : undefined
    },

    async putStream(key, body, { maxBytes }) {
      checked(key)
      const chunks: Buffer[] = []
      let sizeBytes = 0
      for await (const chunk of body) {
        sizeBytes += chunk.length
        if (sizeBytes > maxBytes) throw streamTooLarge(key, maxBytes)
        chunks.push(Buffer.from(chunk))
      }
      const whole = Buffer.concat(chunks)
      write(key, whole)
      return { sizeBytes, sha256: sha256Hex(whole) }
    },

    async *list(prefix, { startAfter = '', before } = {}) {
      checkPrefix(prefix)
      const keys = [...objects.keys()].filter(
        (key) =>
          key.startsWith(prefix) &&
          compareKeys(key, startAfter) > 0 &&
          (before === undefined || compareKeys(key, before) < 0)
      )
      for (const key of keys.sort(compareKeys)) {
        const entry = objects.get(key)
        if (entry) yield info(key, entry)
      }
    },

    async delete(keys) {
      for (const key of keys) checkKey(key)
      for (const key of keys) objects.delete(key)
    },

    async close() {}
  }
}

function checked(key: string): string {
  checkKey(key)
  return key
}

function holds(condition: PutCondition, entry: Entry | undefined): boolean {
  return 'create' in condition ? entry === undefined : entry?.etag === condition.ifMatch
}

function info(key: string, entry: Entry): ObjectInfo {
  return {
    key,
    sizeBytes: entry.body.byteLength,
    etag: entry.etag,
    lastModifiedMs: entry.lastModifiedMs
  }
}
