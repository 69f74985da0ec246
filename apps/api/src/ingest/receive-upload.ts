// Reads an image upload: fields describe the files after them, and files stream into the store.
import type { Readable } from 'node:stream'
import type { Request } from 'express'
import {
  itemIdSchema,
  type ItemListLine,
  labelSchema,
  type Metadata,
  metadataSchema
} from '@likeness/shared/contract/item-list'
import { createSemaphore } from '@likeness/shared/data/semaphore'
import { appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import { parseJsonField } from '../http/json-field.ts'
import { readMultipart } from '../http/multipart.ts'
import { parseRequest } from '../http/request-body.ts'

export const maxUploadFiles = 1000
const storesAtOnce = 8

interface Upload {
  id: string | undefined
  label: string | null
  metadata: Metadata | undefined
  imageKey: string
  sha256: string
}

/**
 * `label` and `metadata` stay until they are given again (empty: removed). `id` is for the next
 * file only.
 */
function createDescription() {
  const now: { id: string | undefined; label: string | null; metadata: Metadata | undefined } = {
    id: undefined,
    label: null,
    metadata: undefined
  }
  const set: Record<string, (text: string) => void> = {
    id: (text) => (now.id = text === '' ? undefined : parseRequest(itemIdSchema, text)),
    label: (text) => (now.label = text === '' ? null : parseRequest(labelSchema, text)),
    metadata: (text) =>
      (now.metadata =
        text === '' ? undefined : parseRequest(metadataSchema, parseJsonField('metadata', text)))
  }
  return {
    set(name: string, text: string): void {
      const field = Object.hasOwn(set, name) ? set[name] : undefined
      if (field === undefined)
        throw appError(
          'invalid_request',
          `unknown field ${name.slice(0, 50)}; known are id, label, metadata, and files`
        )
      field(text)
    },
    forNextFile() {
      const taken = { ...now }
      now.id = undefined
      return taken
    }
  }
}

export interface UploadTarget {
  store: ObjectStore
  /** Object key of the n-th file. */
  keyOf: (n: number) => string
  maxBytes: number
}

/**
 * Stores every file and returns the item list lines in the order of the parts, with the sha256 of
 * each file's bytes. too_large when a file is too large. The caller deletes the stored files after
 * any rejection.
 */
export async function receiveUpload(
  req: Request,
  target: UploadTarget
): Promise<{ lines: ItemListLine[]; digests: string[] }> {
  const description = createDescription()
  const uploads: Upload[] = []
  const limited = createSemaphore(storesAtOnce).run
  await readMultipart(
    req,
    { files: maxUploadFiles, fields: 3 * maxUploadFiles, fieldBytes: 64 * 1024 },
    {
      onField: description.set,
      onFile: async (_name, stream: Readable) => {
        const n = uploads.length
        const upload: Upload = {
          ...description.forNextFile(),
          imageKey: target.keyOf(n),
          sha256: ''
        }
        uploads.push(upload)
        upload.sha256 = await limited(async () => {
          if (stream.destroyed && !stream.readableEnded)
            throw appError('invalid_request', 'the upload was cut off')
          return storeFile(target, upload.imageKey, stream, n)
        })
      }
    }
  )
  return {
    lines: uploads.map(({ id, label, metadata, imageKey, sha256 }, ordinal) => ({
      ordinal,
      id: id ?? sha256,
      label,
      metadata,
      imageKey
    })),
    digests: uploads.map((upload) => upload.sha256)
  }
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
