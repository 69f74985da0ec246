// Reads a form with a picture in the field `image`, and the fields of a JSON request as text.
import type { Request } from 'express'
import { appError } from '@likeness/shared/errors'
import { createFormFields, shownName } from './form-fields.ts'
import { readIntoMemory } from './held-bytes.ts'
import { parseJsonField } from './json-field.ts'
import { readMultipart } from './multipart.ts'

export interface PictureForm {
  fields: Record<string, unknown>
  picture: Uint8Array | undefined
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
        picture = await readIntoMemory(req, stream, {
          maxBytes,
          tooLarge: () => appError('too_large', `a picture has at most ${maxBytes} bytes`)
        })
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
