// Reads a form with a picture in the field `image`, and the fields of a JSON request as text.
import type { Readable } from 'node:stream'
import type { Request } from 'express'
import { appError } from '@likeness/shared/errors'
import { parseJsonField } from './json-field.ts'
import { readMultipart } from './multipart.ts'

export interface PictureForm {
  fields: Record<string, unknown>
  picture: Uint8Array | undefined
}

async function collect(stream: Readable, maxBytes: number): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw appError('too_large', `a picture has at most ${maxBytes} bytes`)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

/** `asJson`: fields whose text is JSON. Empty fields are left out. */
export async function readPictureForm(
  req: Request,
  { maxBytes, asJson }: { maxBytes: number; asJson: ReadonlySet<string> }
): Promise<PictureForm> {
  const fields: Record<string, unknown> = {}
  let picture: Uint8Array | undefined
  await readMultipart(
    req,
    { files: 1, fields: 20, fieldBytes: 256 * 1024 },
    {
      onField: (name, text) => {
        const value = asJson.has(name) ? parseJsonField(name, text) : text
        if (text !== '') Object.defineProperty(fields, name, { value, enumerable: true })
      },
      onFile: async (name, stream) => {
        if (name !== 'image')
          throw appError(
            'invalid_request',
            `unknown file field ${name.slice(0, 50)}; the picture is \`image\``
          )
        picture = await collect(stream, maxBytes)
      }
    }
  )
  return { fields, picture }
}
