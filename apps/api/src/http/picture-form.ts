// Reads a form with a picture in the field `image`, and the fields of a JSON request as text.
import type { Readable } from 'node:stream'
import type { Request } from 'express'
import { appError } from '@likeness/shared/errors'
import { createFormFields, shownName } from './form-fields.ts'
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

/**
 * `asJson`: fields whose text is JSON. Empty fields are left out. invalid_request for a field that
 * is given twice.
 */
export async function readPictureForm(
  req: Request,
  { maxBytes, asJson }: { maxBytes: number; asJson: ReadonlySet<string> }
): Promise<PictureForm> {
  const fields = createFormFields('image')
  let picture: Uint8Array | undefined
  await readMultipart(
    req,
    { files: 1, fields: 20, fieldBytes: 256 * 1024 },
    {
      onField: fields.add,
      onFile: async (name, stream) => {
        if (name !== 'image')
          throw appError(
            'invalid_request',
            `unknown file field ${shownName(name)}; the picture is \`image\``
          )
        picture = await collect(stream, maxBytes)
      }
    }
  )
  const given = Object.entries(fields.values()).filter(([, text]) => text !== '')
  const values = given.map(([name, text]): [string, unknown] => [
    name,
    asJson.has(name) ? parseJsonField(name, text) : text
  ])
  return { fields: Object.fromEntries(values), picture }
}
