// Streams a multipart body part by part. The promise ends only after every file handler has ended,
// also after an error.
import type { Readable } from 'node:stream'
import busboy from 'busboy'
import type { Request } from 'express'
import { appError } from '@likeness/shared/errors'
import { discardRest } from './request-body.ts'

export interface MultipartLimits {
  files: number
  fields: number
  fieldBytes: number
}
export interface FileInfo {
  /** File name that the client gives. */
  filename: string
  mimeType: string
}
export interface MultipartHandlers {
  onField: (name: string, value: string) => void
  /** Must consume or destroy the stream. Called in the order of the parts. */
  onFile: (name: string, stream: Readable, info: FileInfo) => Promise<void>
}

const idleMs = 60_000

function openForm(req: Request, limits: MultipartLimits): busboy.Busboy {
  try {
    return busboy({
      headers: req.headers,
      defParamCharset: 'utf8',
      limits: {
        files: limits.files,
        fields: limits.fields,
        fieldSize: limits.fieldBytes,
        headerPairs: 32,
        fieldNameSize: 100
      }
    })
  } catch (error) {
    throw appError('invalid_request', 'content-type does not describe a multipart form', {
      cause: error
    })
  }
}

/**
 * invalid_request for a broken or cut-off form, too_large past a limit, else the first error of a
 * handler.
 */
export async function readMultipart(
  req: Request,
  limits: MultipartLimits,
  handlers: MultipartHandlers
): Promise<void> {
  const form = openForm(req, limits)
  const files: Promise<void>[] = []
  let failure: { error: unknown } | undefined
  const fail = (error: unknown): void => {
    if (failure !== undefined) return
    failure = { error }
    discardRest(req)
    form.destroy()
  }
  const guarded = (act: () => void): void => {
    if (failure !== undefined) return
    try {
      act()
    } catch (error) {
      fail(error)
    }
  }
  form.on('error', (error) =>
    fail(appError('invalid_request', 'the multipart form is broken or cut off', { cause: error }))
  )
  form.on('filesLimit', () =>
    fail(appError('too_large', `at most ${limits.files} files in one request`))
  )
  form.on('fieldsLimit', () =>
    fail(appError('too_large', `at most ${limits.fields} fields in one request`))
  )
  form.on('field', (name, value, info) =>
    guarded(() => {
      if (info.valueTruncated || info.nameTruncated)
        throw appError('too_large', `field ${name}: at most ${limits.fieldBytes} bytes`)
      handlers.onField(name ?? '', value)
    })
  )
  form.on('file', (name, stream, { filename, mimeType }) => {
    // A stream that waits for its turn may be destroyed before a handler listens.
    stream.on('error', () => {})
    if (failure !== undefined) return void stream.resume()
    files.push(
      handlers
        .onFile(name ?? '', stream, { filename: filename ?? '', mimeType: mimeType ?? '' })
        .catch((error: unknown) => {
          fail(error)
          stream.resume()
        })
    )
  })
  await pump(req, form, fail)
  await Promise.all(files)
  // Callbacks assign this variable, and control flow analysis does not follow callbacks.
  const failed = failure as { error: Error } | undefined
  if (failed !== undefined) throw failed.error
}

function pump(req: Request, form: busboy.Busboy, fail: (error: unknown) => void): Promise<void> {
  const cutOff = (): void => {
    if (!req.complete) fail(appError('invalid_request', 'the request was cut off'))
  }
  const idle = (): void => {
    fail(appError('invalid_request', `nothing arrived for ${idleMs / 1000} s`))
    req.destroy()
  }
  req.on('error', cutOff)
  req.on('close', cutOff)
  req.setTimeout(idleMs, idle)
  return new Promise<void>((resolve) => {
    form.once('close', resolve)
    req.pipe(form)
  }).finally(() => {
    req.off('close', cutOff)
    req.setTimeout(0)
    req.off('timeout', idle)
  })
}
