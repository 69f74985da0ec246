// The reading half of the S3 store. Failed reads are repeated, because reads are free of side
// effects.
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { retry } from '@likeness/shared/process/retry'
import { checkKey } from './object-key.ts'
import type { ObjectStore } from './object-store.ts'
import type { S3Connection } from './s3-client.ts'
import { checkRange, storeFailure, withStoreErrors } from './store-failure.ts'

const pausesMs = [50, 250]

export function s3Reads(
  s3: S3Connection
): Pick<ObjectStore, 'get' | 'getRange' | 'getStream' | 'head'> {
  async function read<T>(key: string, run: () => Promise<T>): Promise<T> {
    checkKey(key)
    return readWithRetries(`read ${key}`, run)
  }

  async function head(key: string) {
    return read(key, async () => {
      const found = await unlessMissing(() => s3.client.statObject(s3.bucket, s3.keyPrefix + key))
      return (
        found && {
          key,
          sizeBytes: found.size,
          etag: found.etag,
          lastModifiedMs: found.lastModified.getTime()
        }
      )
    })
  }

  return {
    head,

    get: (key) =>
      read(key, async () => {
        const response = await getObject(s3, key)
        return response && { body: await bodyOf(response), etag: etagOf(response) }
      }),

    async getRange(key, offset, length) {
      checkRange(offset, length)
      // S3 does not accept a range of zero bytes.
      if (length === 0) return (await head(key)) && new Uint8Array()
      return read(key, async () => {
        try {
          const response = await getObject(s3, key, { offset, length })
          const body = response && (await bodyOf(response))
          return response?.statusCode === 200 ? body?.subarray(offset, offset + length) : body
        } catch (error) {
          if (codeOf(error) === 'InvalidRange') return new Uint8Array()
          throw error
        }
      })
    },

    async getStream(key) {
      const response = await read(key, () => getObject(s3, key))
      return response && withStoreErrors(response, `read ${key}`)
    }
  }
}

/** Runs a read up to three times; rejects with `store_unavailable`. */
export async function readWithRetries<T>(what: string, run: () => Promise<T>): Promise<T> {
  try {
    const pauseMs = (failures: number) => pausesMs[failures - 1]
    return await retry(run, { isRetryable: (error) => !isFinal(error), pauseMs, sleep })
  } catch (error) {
    throw storeFailure(what, error)
  }
}

/** Returns the S3 error code, or '' when the server did not answer with one. */
export function codeOf(error: unknown): string {
  const code = error instanceof Error ? (error as { code?: unknown }).code : undefined
  return typeof code === 'string' ? code : ''
}

/** Whether the server understood and refused. Asking again would not help. */
function isFinal(error: unknown): boolean {
  return ['AccessDenied', 'InvalidAccessKeyId', 'SignatureDoesNotMatch', 'NoSuchBucket'].includes(
    codeOf(error)
  )
}

async function getObject(
  s3: S3Connection,
  key: string,
  range?: { offset: number; length: number }
) {
  const name = s3.keyPrefix + key
  const found = await unlessMissing(() =>
    range
      ? s3.client.getPartialObject(s3.bucket, name, range.offset, range.length)
      : s3.client.getObject(s3.bucket, name)
  )
  // The client types the result as a stream of bytes. The result is the response, and its headers
  // name the write.
  return found as IncomingMessage | undefined
}

async function unlessMissing<T>(run: () => Promise<T>): Promise<T | undefined> {
  try {
    return await run()
  } catch (error) {
    if (['NoSuchKey', 'NotFound'].includes(codeOf(error))) return undefined
    throw error
  }
}

async function bodyOf(response: Readable): Promise<Buffer> {
  return Buffer.concat(await response.toArray())
}

export function etagOf(response: { headers: IncomingMessage['headers'] }): string {
  const etag = response.headers.etag?.replaceAll('"', '')
  if (!etag) throw new Error('the server answered without an ETag')
  return etag
}
