// Reads a form with pictures, and the fields of a JSON request as text.
import type { Request } from 'express'
import { appError } from '@likeness/shared/errors'
import { createFormFields, shownName } from './form-fields.ts'
import { readIntoMemory } from './held-bytes.ts'
import { parseJsonField } from './json-field.ts'
import { readMultipart } from './multipart.ts'

export interface PictureForm {
  fields: Record<string, unknown>
  /** Pictures of each file field, in the order of the form. */
  pictures: Record<string, Uint8Array[]>
}
export interface PictureFormOptions {
  /** Of each picture. */
  maxBytes: number
  /** Fields whose text is JSON. */
  asJson: ReadonlySet<string>
  /** The file fields. */
  files: readonly string[]
  /** Most pictures of all file fields together. */
  mostFiles: number
}

const mostFields = 48

/**
 * Empty fields are left out. invalid_request for a field that is given twice, and for a file field
 * that the form does not have; too_large for too many pictures.
 */
export async function readPictureForm(
  req: Request,
  { maxBytes, asJson, files, mostFiles }: PictureFormOptions
): Promise<PictureForm> {
  const fields = createFormFields(...files)
  const pictures: Record<string, Uint8Array[]> = Object.fromEntries(files.map((name) => [name, []]))
  await readMultipart(
    req,
    { files: mostFiles, fields: mostFields, fieldBytes: 256 * 1024 },
    {
      onField: fields.add,
      onFile: async (name, stream) => {
        if (!files.includes(name))
          throw appError(
            'invalid_request',
            `unknown file field ${shownName(name)}; pictures are ${files.map((file) => `\`${file}\``).join(' and ')}`
          )
        const own = pictures[name]!
        const place = own.push(new Uint8Array()) - 1
        own[place] = await readIntoMemory(req, stream, {
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
  return { fields: Object.fromEntries(values), pictures }
}
