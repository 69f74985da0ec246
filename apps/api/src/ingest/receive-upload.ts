// Reads an image upload: files stream into the store, fields describe them.
import type { Readable } from 'node:stream'
import type { Request } from 'express'
import { maxUploadFiles } from '@likeness/shared/contract/limits'
import { createSemaphore } from '@likeness/shared/data/semaphore'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { readMultipart } from '../http/multipart.ts'
import type { UploadedPicture } from './repeated-pictures.ts'
import { createUploadFields } from './upload-fields.ts'

const storesAtOnce = 8

interface StoredFile {
  imageKey: string
  sha256: string
}

export interface UploadTarget {
  store: ObjectStore
  /** Object key of the n-th file. */
  keyOf: (n: number) => string
  maxBytes: number
}

/**
 * Stores every file and returns the pictures in the order of the parts. too_large when a file is
 * too large. The caller deletes the stored files after any rejection.
 */
export async function receiveUpload(
  req: Request,
  target: UploadTarget
): Promise<UploadedPicture[]> {
  const fields = createUploadFields()
  const files: StoredFile[] = []
  const limited = createSemaphore(storesAtOnce).run
  await readMultipart(
    req,
    { files: maxUploadFiles, fields: 3 * maxUploadFiles, fieldBytes: 64 * 1024 },
    {
      onField: fields.add,
      onFile: async (name, stream: Readable) => {
        fields.nextFile(name)
        const n = files.length
        const file: StoredFile = { imageKey: target.keyOf(n), sha256: '' }
        files.push(file)
        file.sha256 = await limited(async () => {
          if (stream.destroyed && !stream.readableEnded)
            throw appError('invalid_request', 'the upload was cut off')
          return storeFile(target, file.imageKey, stream, n)
        })
      }
    }
  )
  return fields.describe().map(({ id, label, metadata }, ordinal) => {
    const { imageKey, sha256 } = files[ordinal]!
    return { line: { ordinal, id: id ?? sha256, label, metadata, imageKey }, digest: sha256 }
  })
}

async function storeFile(
  { store, maxBytes }: UploadTarget,
  key: string,
  stream: Readable,
  n: number
): Promise<string> {
  try {
    return (await store.putStream(key, stream, { maxBytes })).sha256
  } catch (error) {
    if (!isAppError(error, 'too_large')) throw error
    throw appError('too_large', `file ${n + 1} has more than ${maxBytes} bytes`, {
      cause: error,
      detail: { max_bytes: maxBytes }
    })
  }
}
