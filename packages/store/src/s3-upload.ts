// Uploads one body to S3: a single PUT, or parts of 8 MiB for a body that is larger or of unknown
// size.
import { createHash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { messageOf } from '@likeness/shared/errors'
import type { S3Connection } from './s3-client.ts'
import { etagOf } from './s3-read.ts'
import { guarded } from './store-failure.ts'

const partBytes = 8 * 1024 * 1024
/** Bytes that are hashed in one go. A larger slice would block the event loop for too long. */
const sliceBytes = 512 * 1024

export interface Part {
  body: Buffer
  sha256: string
}

/**
 * Writes the chunks as one object. S3's errors become `store_unavailable`; errors of the chunks'
 * source pass unchanged. After either error there is no object, unless S3 received the whole body
 * and its answer was lost.
 */
export async function upload(
  s3: S3Connection,
  key: string,
  chunks: AsyncIterable<Buffer>
): Promise<{ etag: string }> {
  const parts = partsOf(chunks)
  try {
    const first = await parts.next()
    const second = await parts.next()
    if (first.done) throw new Error('there is always a first part')
    if (second.done) {
      return await guarded(`write ${key}`, async () => ({
        etag: etagOf(await sendPut(s3, { key, part: first.value }))
      }))
    }
    return await uploadParts(s3, key, concatenated([first.value, second.value], parts))
  } finally {
    // Runs also when S3 failed, and ends the source.
    await parts.return(undefined)
  }
}

/** A PUT of a known body: an object, or with `query` one part of a multipart upload. */
export interface PutRequest {
  key: string
  part: Part
  headers?: Record<string, string>
  query?: string
  /** Statuses that are an answer and not a failure. Default: only 200. */
  statuses?: number[]
}

/** Rejects with the client's error for any other status. */
export async function sendPut(
  s3: S3Connection,
  put: PutRequest
): Promise<IncomingMessage & { text: string }> {
  const { body, sha256 } = put.part
  const request = {
    method: 'PUT',
    bucketName: s3.bucket,
    objectName: s3.keyPrefix + put.key,
    query: put.query ?? '',
    headers: { ...put.headers, 'content-length': String(body.byteLength) }
  }
  const response = await s3.client.makeRequestStreamAsync(
    request,
    body,
    s3.signsBody ? sha256 : '',
    put.statuses ?? [200],
    ''
  )
  const text = Buffer.concat(await response.toArray()).toString()
  return Object.assign(response, { text })
}

/**
 * Yields the whole body in small pieces. Hashing them one after the other does not block other
 * work.
 */
export async function* slicesOf(body: Uint8Array): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < body.byteLength; offset += sliceBytes) {
    if (offset > 0) await nextTurn()
    yield Buffer.from(
      body.buffer,
      body.byteOffset + offset,
      Math.min(sliceBytes, body.byteLength - offset)
    )
  }
}

/** Yields parts of 8 MiB and a last, shorter part. An empty body is one empty part. */
export async function* partsOf(chunks: AsyncIterable<Buffer>): AsyncGenerator<Part, undefined> {
  let pieces: Buffer[] = []
  let sizeBytes = 0
  let hash = createHash('sha256')
  let yielded = false
  for await (const chunk of chunks) {
    for (let rest = chunk; rest.byteLength > 0; ) {
      const piece = rest.subarray(0, partBytes - sizeBytes)
      rest = rest.subarray(piece.byteLength)
      hash.update(piece)
      pieces.push(piece)
      sizeBytes += piece.byteLength
      if (sizeBytes < partBytes) continue
      yield { body: Buffer.concat(pieces), sha256: hash.digest('hex') }
      yielded = true
      ;[pieces, sizeBytes, hash] = [[], 0, createHash('sha256')]
    }
  }
  if (sizeBytes > 0 || !yielded) yield { body: Buffer.concat(pieces), sha256: hash.digest('hex') }
  return undefined
}

async function uploadParts(
  s3: S3Connection,
  key: string,
  parts: AsyncIterable<Part>
): Promise<{ etag: string }> {
  const name = s3.keyPrefix + key
  const s3Call = <T>(run: () => Promise<T>) => guarded(`write ${key}`, run)
  // Always starts a new upload: the client's own streaming would continue any unfinished upload of
  // that key.
  const uploadId = await s3Call(() => s3.client.initiateNewMultipartUpload(s3.bucket, name, {}))
  try {
    const done: { part: number; etag: string }[] = []
    for await (const part of parts) {
      const number = done.length + 1
      const query = `partNumber=${number}&uploadId=${encodeURIComponent(uploadId)}`
      done.push({
        part: number,
        etag: etagOf(await s3Call(() => sendPut(s3, { key, part, query })))
      })
    }
    return await s3Call(() => s3.client.completeMultipartUpload(s3.bucket, name, uploadId, done))
  } catch (error) {
    // Parts that stay behind cost space until the bucket's own rule removes them. They never become
    // an object.
    await s3.client
      .abortMultipartUpload(s3.bucket, name, encodeURIComponent(uploadId))
      .catch((abortError: unknown) => {
        process.emitWarning(`An unfinished upload of ${key} stays in S3: ${messageOf(abortError)}`)
      })
    throw error
  }
}

async function* concatenated(first: Part[], rest: AsyncIterable<Part>): AsyncGenerator<Part> {
  yield* first
  yield* rest
}
