// Encodes and decodes our text objects in the store, JSON or NDJSON. The last line holds the sha256
// of everything before that line. A text that is altered or cut counts as damaged. A text that
// another version of this program wrote is not damaged: the error says so, and nobody may replace it.
import { z } from 'zod'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { type AppError, appError } from '@likeness/shared/errors'

const word = 'sha256 '
const lastLineBytes = word.length + 64 + 1

const lastLine = (text: Uint8Array): Buffer => Buffer.from(`${word}${sha256Hex(text)}\n`)

/** `text`: whole lines. */
function encodeText(text: string): Uint8Array {
  const body = Buffer.from(text)
  return Buffer.concat([body, lastLine(body)])
}

/**
 * Throws data_corrupt, with the key, unless every byte is as it was written; unsupported_store for a
 * whole text from before there were checksums.
 */
function decodeText(key: string, body: Uint8Array): string {
  const end = body.byteLength - lastLineBytes
  const text = Buffer.from(body.buffer, body.byteOffset, Math.max(0, end))
  if (end >= 0 && lastLine(text).compare(body, end) === 0) return text.toString('utf8')
  if (isUnchecked(body))
    throw appError(
      'unsupported_store',
      `${key} was written by a version of Likeness from before checksums: move the pictures into a new store, see docs/upgrading.md`
    )
  throw appError('data_corrupt', `${key} is damaged: it does not match its checksum`)
}

/**
 * Whether a text is a single line of whole JSON. A list of lines may as well be a checked text that
 * was cut.
 */
function isUnchecked(body: Uint8Array): boolean {
  const text = Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString('utf8')
  const end = text.indexOf('\n')
  if (!text.startsWith('{') || (end >= 0 && end < text.length - 1)) return false
  try {
    JSON.parse(text)
    return true
  } catch {
    // No JSON: the text is cut or altered.
    return false
  }
}

function parse<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw (
      newerVersion(key, error) ??
      appError('data_corrupt', `${key} is not what this program writes`, { cause: error })
    )
  }
}

/** Returns unsupported_store when only a newer program can have written the refused value. */
export function newerVersion(key: string, error: unknown): AppError | undefined {
  const newer = error instanceof z.ZodError ? newerPart(error) : undefined
  return newer === undefined
    ? undefined
    : appError(
        'unsupported_store',
        `${key} was written by a newer version of Likeness (${newer}): start that version. This one changes nothing here`,
        { cause: error }
      )
}

/**
 * Names the part that only a newer program can have written: a field that this program does not
 * know, a higher format, another kind. Stored schemas are strict, so that no field is dropped.
 */
function newerPart({ issues }: z.ZodError): string | undefined {
  for (const { path, ...issue } of issues) {
    const at = path.join('.')
    if (issue.code === 'unrecognized_keys')
      return `field ${[at, issue.keys[0]].filter((part) => part !== '').join('.')}`
    if (issue.code === 'invalid_value' && path.at(-1) === 'format') return 'another format'
    if (issue.code === 'invalid_union' && issue.discriminator !== undefined) return `another ${at}`
  }
  return undefined
}

/** Returns the error for a binary object of another format number than `known`. */
export const otherFormat = (key: string, found: number, known: number): AppError =>
  found > known
    ? appError(
        'unsupported_store',
        `${key} was written by a newer version of Likeness (format ${found}): start that version. This one changes nothing here`
      )
    : appError('data_corrupt', `${key} has format ${found}, this program writes ${known}`)

/** Reads a text whose bytes were checked. Throws as decodeObject does. */
export const readText = <T>(schema: z.ZodType<T>, key: string, text: string): T =>
  parse(key, () => schema.parse(JSON.parse(text)))
/** Checks a part of an object that was decoded. Throws as decodeObject does. */
export const readValue = <T>(schema: z.ZodType<T>, key: string, value: unknown): T =>
  parse(key, () => schema.parse(value))

export const encodeObject = (value: unknown): Uint8Array => encodeText(`${JSON.stringify(value)}\n`)

/** Throws data_corrupt when the object is damaged, unsupported_store for one of another version. */
export function decodeObject<T>(schema: z.ZodType<T>, key: string, body: Uint8Array): T {
  const text = decodeText(key, body)
  return readText(schema, key, text)
}

export const encodeLines = (values: readonly unknown[]): Uint8Array =>
  encodeText(values.map((value) => `${JSON.stringify(value)}\n`).join(''))

/** Does the same as decodeObject, with one value per line. */
export function decodeLines<T>(schema: z.ZodType<T>, key: string, body: Uint8Array): T[] {
  const lines = decodeText(key, body).split('\n').slice(0, -1)
  return parse(key, () => lines.map((line) => schema.parse(JSON.parse(line))))
}
