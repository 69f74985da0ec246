// An object store on any S3 server that honours conditional writes, through the minio client.
import { createHash } from 'node:crypto'
import type { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import { checkKey, checkPrefix, compareKeys } from './object-key.ts'
import type { ObjectStore, PutCondition } from './object-store.ts'
import { connectS3, type S3Connection, type S3Options } from './s3-client.ts'
import { listS3 } from './s3-list.ts'
import { codeOf, etagOf, s3Reads } from './s3-read.ts'
import { sendPut, slicesOf, upload } from './s3-upload.ts'
import { checkConditionalSize, guarded, storeFailure, streamTooLarge } from './store-failure.ts'

/**
 * Pauses after a 409. This status says that another request to the key was running and that this
 * one had no effect, so the request may be sent again.
 */
const conflictPausesMs = [10, 30, 100, 300, 1000]
const keysPerDelete = 1000
const maxKeyBytes = 1024

interface DeleteFailure {
  Key?: string
  Code?: string
  Message?: string
}

/**
 * Opens the store, and creates the bucket when it is missing. Rejects with `store_unavailable`.
 *
 * A write is sent once. When its answer is lost, slow or a 5xx, the caller gets
 * `store_unavailable`: the write may have happened and may still land. A repeated conditional write
 * may then fail against the first try. That caller must read the object back: the body tells who
 * wrote it. S3's etag is a hash of the bytes. So a body that is replaced by compare-and-swap must
 * differ from every earlier one, for example by an id of its own.
 */
export async function openS3Store(
  address: { bucket: string; prefix: string },
  options: S3Options
): Promise<ObjectStore> {
  const s3 = connectS3(address, options)
  try {
    await guarded(`open bucket ${s3.bucket}`, () => createBucket(s3))
  } catch (error) {
    s3.close()
    throw error
  }
  return {
    kind: 's3',
    ...s3Reads(s3),
    ...s3Writes(s3),
    async *list(prefix, { startAfter = '', before } = {}) {
      checkPrefix(prefix)
      try {
        for await (const info of listS3(s3, prefix, startAfter)) {
          if (before !== undefined && compareKeys(info.key, before) >= 0) return
          yield info
        }
      } catch (error) {
        throw storeFailure(`list ${prefix}`, error)
      }
    },
    async close() {
      s3.close()
    }
  }
}

function s3Writes(s3: S3Connection): Pick<ObjectStore, 'put' | 'putIf' | 'putStream' | 'delete'> {
  const checked = (key: string) => {
    checkKey(key)
    if (Buffer.byteLength(s3.keyPrefix + key) <= maxKeyBytes) return
    throw appError(
      'invalid_key',
      `The key ${key.slice(0, 100)} is longer than ${maxKeyBytes} bytes with the store's prefix.`
    )
  }
  return {
    async put(key, body) {
      checked(key)
      return upload(s3, key, slicesOf(Uint8Array.from(body)))
    },

    async putIf(key, body, condition) {
      checked(key)
      checkConditionalSize(key, body)
      return guarded(`write ${key}`, () => putConditionally(s3, key, body, condition))
    },

    async putStream(key, body, { maxBytes }) {
      checked(key)
      const hash = createHash('sha256')
      let sizeBytes = 0
      const chunks = counted(body, (chunk) => {
        sizeBytes += chunk.byteLength
        if (sizeBytes > maxBytes) throw streamTooLarge(key, maxBytes)
        hash.update(chunk)
      })
      await upload(s3, key, chunks)
      return { sizeBytes, sha256: hash.digest('hex') }
    },

    async delete(keys) {
      for (const key of keys) checked(key)
      for (let i = 0; i < keys.length; i += keysPerDelete) {
        const names = keys.slice(i, i + keysPerDelete).map((key) => s3.keyPrefix + key)
        const failed = await guarded('delete', () => s3.client.removeObjects(s3.bucket, names))
        // The client types an entry as { Error } but returns the fields of that error.
        const failure = (failed as DeleteFailure[]).find((entry) => entry.Code !== 'NoSuchKey')
        if (failure)
          throw storeFailure(
            `delete ${failure.Key}`,
            new Error(`${failure.Code} ${failure.Message}`)
          )
      }
    }
  }
}

async function putConditionally(
  s3: S3Connection,
  key: string,
  body: Uint8Array,
  condition: PutCondition
) {
  const headers: Record<string, string> =
    'create' in condition ? { 'if-none-match': '*' } : { 'if-match': `"${condition.ifMatch}"` }
  const part = { body: Buffer.from(body), sha256: sha256Hex(body) }
  for (let attempt = 0; ; attempt++) {
    const answer = await sendPut(s3, { key, part, headers, statuses: [200, 404, 409, 412] })
    if (answer.statusCode === 200) return { etag: etagOf(answer) }
    if (answer.statusCode === 412) return undefined
    if (answer.statusCode === 404 && answer.text.includes('<Code>NoSuchKey<')) return undefined
    const pauseMs = conflictPausesMs[attempt]
    if (answer.statusCode !== 409 || pauseMs === undefined)
      throw new Error(`${answer.statusCode} ${answer.text.slice(0, 300)}`)
    await sleep(pauseMs * (0.5 + Math.random()))
  }
}

async function createBucket(s3: S3Connection): Promise<void> {
  if (await s3.client.bucketExists(s3.bucket)) return
  try {
    await s3.client.makeBucket(s3.bucket)
  } catch (error) {
    if (codeOf(error) !== 'BucketAlreadyOwnedByYou') throw error
  }
}

async function* counted(body: Readable, onChunk: (chunk: Buffer) => void): AsyncGenerator<Buffer> {
  for await (const chunk of body as AsyncIterable<Buffer>) {
    onChunk(chunk)
    yield chunk
  }
}
