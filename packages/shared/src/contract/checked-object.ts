// Encodes and decodes our text objects in the store, JSON or NDJSON. The last line holds the sha256
// of everything before that line. A text that is altered or cut, or has no such line, counts as
// damaged.
import type { z } from 'zod'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'

const word = 'sha256 '
const lastLineBytes = word.length + 64 + 1

const lastLine = (text: Uint8Array): Buffer => Buffer.from(`${word}${sha256Hex(text)}\n`)

/** `text`: whole lines. */
function encodeText(text: string): Uint8Array {
  const body = Buffer.from(text)
  return Buffer.concat([body, lastLine(body)])
}

/** Throws data_corrupt, with the key, unless every byte is as it was written. */
function decodeText(key: string, body: Uint8Array): string {
  const end = body.byteLength - lastLineBytes
  const text = Buffer.from(body.buffer, body.byteOffset, Math.max(0, end))
  if (end < 0 || lastLine(text).compare(body, end) !== 0)
    throw appError('data_corrupt', `${key} is damaged: it does not match its checksum`)
  return text.toString('utf8')
}

function parse<T>(key: string, read: () => T): T {
  try {
    return read()
  } catch (error) {
    throw appError('data_corrupt', `${key} is not what this program writes`, { cause: error })
  }
}

export const encodeObject = (value: unknown): Uint8Array => encodeText(`${JSON.stringify(value)}\n`)

/** Throws data_corrupt when the object is damaged or this program did not write it. */
export function decodeObject<T>(schema: z.ZodType<T>, key: string, body: Uint8Array): T {
  const text = decodeText(key, body)
  return parse(key, () => schema.parse(JSON.parse(text)))
}

export const encodeLines = (values: readonly unknown[]): Uint8Array =>
  encodeText(values.map((value) => `${JSON.stringify(value)}\n`).join(''))

/** Does the same as decodeObject, with one value per line. */
export function decodeLines<T>(schema: z.ZodType<T>, key: string, body: Uint8Array): T[] {
  const lines = decodeText(key, body).split('\n').slice(0, -1)
  return parse(key, () => lines.map((line) => schema.parse(JSON.parse(line))))
}
