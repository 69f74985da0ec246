// Reads an import request: JSON, or a form. The list file of a form waits on disk until the fields
// around it are known.
import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type Readable, Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import type { Request, Response } from 'express'
import { type ImportRequest, importRequestSchema } from '@likeness/shared/contract/http/imports'
import { maxListFileBytes } from '@likeness/shared/contract/limits'
import { createUlid } from '@likeness/shared/data/ulid'
import { appError } from '@likeness/shared/errors'
import { createFormFields, shownName } from '../http/form-fields.ts'
import { readMultipart } from '../http/multipart.ts'
import { isJson, isMultipart, parseRequest, readJson } from '../http/request-body.ts'
import type { ListFile } from './list-file.ts'

export interface ReceivedImport {
  request: ImportRequest
  list: ListFile | undefined
  listSha256: string | undefined
  /** Deletes the list file. */
  dispose: () => Promise<void>
}

export async function receiveImport(
  req: Request,
  res: Response,
  spoolDir: string
): Promise<ReceivedImport> {
  if (isMultipart(req)) return receiveForm(req, join(spoolDir, `${createUlid()}.list`))
  if (!isJson(req))
    throw appError(
      'unsupported_media_type',
      'send application/json, or multipart/form-data with a list file'
    )
  const request = parseRequest(importRequestSchema, await readJson(req, res))
  return { request, list: undefined, listSha256: undefined, dispose: async () => {} }
}

async function receiveForm(req: Request, path: string): Promise<ReceivedImport> {
  const fields = createFormFields('list')
  let listSha256: string | undefined
  let format: ListFile['format'] = 'tsv'
  const dispose = () => rm(path, { force: true })
  try {
    await readMultipart(
      req,
      { files: 1, fields: 8, fieldBytes: 8 * 1024 },
      {
        onField: fields.add,
        onFile: async (name, stream, { filename, mimeType }) => {
          if (name !== 'list')
            throw appError(
              'invalid_request',
              `unknown file field ${shownName(name)}; the list file is \`list\``
            )
          if (mimeType === 'application/x-ndjson' || filename.endsWith('.ndjson')) format = 'ndjson'
          listSha256 = await spool(stream, path)
        }
      }
    )
    const request = parseRequest(importRequestSchema, fields.values())
    return {
      request,
      list: listSha256 === undefined ? undefined : { path, format },
      listSha256,
      dispose
    }
  } catch (error) {
    await dispose()
    throw error
  }
}

/** Returns the sha256 of the written bytes. */
async function spool(stream: Readable, path: string): Promise<string> {
  const hash = createHash('sha256')
  let sizeBytes = 0
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      sizeBytes += chunk.length
      hash.update(chunk)
      if (sizeBytes > maxListFileBytes)
        done(appError('too_large', `a list file has at most ${maxListFileBytes} bytes`))
      else done(null, chunk)
    }
  })
  await pipeline(stream, meter, createWriteStream(path, { mode: 0o600 }))
  return hash.digest('hex')
}
