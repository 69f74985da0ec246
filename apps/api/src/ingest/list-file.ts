// The list file of an import: `path<TAB>label[<TAB>id]` a line, UTF-8; BOM, CRLF and blank lines are fine. Streams, lists may have millions of lines.
import { itemIdSchema, labelSchema } from '@likeness/shared/contract/item-list'
import type { ItemFailure } from '@likeness/shared/contract/item-list'

export interface ListEntry {
  /** From 1. */
  line: number
  path: string
  label: string | null
  id: string
  failure?: ItemFailure
}

export const maxLineBytes = 16 * 1024
const newline = 0x0a

/** Raw lines with their numbers; a line past `maxLineBytes` is cut there and marked. */
async function* splitLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<{ line: number; bytes: Buffer; tooLong: boolean }> {
  let held = Buffer.alloc(0)
  let tooLong = false
  let line = 1
  const keep = (bytes: Buffer): void => {
    tooLong ||= held.length + bytes.length > maxLineBytes
    held = Buffer.concat([held, bytes.subarray(0, maxLineBytes - held.length)])
  }
  for await (const chunk of chunks) {
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)
    let from = 0
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, from)) {
      keep(bytes.subarray(from, at))
      yield { line: line++, bytes: held, tooLong }
      held = Buffer.alloc(0)
      tooLong = false
      from = at + 1
    }
    if (from < bytes.length) keep(bytes.subarray(from))
  }
  if (held.length > 0) yield { line, bytes: held, tooLong }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function decodeLine(bytes: Buffer): string | undefined {
  try {
    return decoder.decode(bytes)
  } catch {
    // Not UTF-8: the caller fails the line.
    return undefined
  }
}

const badLine = (line: number, code: string, message: string, known: { path?: string; id?: string } = {}): ListEntry => {
  const id = itemIdSchema.safeParse(known.id ?? known.path)
  return { line, path: known.path ?? '', label: null, id: id.success ? id.data : `line-${line}`, failure: { code, message: `line ${line}: ${message}` } }
}

/** One line that is not blank. Bad lines become entries with a failure: invalid_list_line or missing_label. */
export function parseListLine(line: number, text: string): ListEntry {
  const [path = '', label = '', id = '', ...rest] = text.split('\t')
  if (rest.length > 0) return badLine(line, 'invalid_list_line', 'more than three columns', { path, id: id || path })
  if (path === '') return badLine(line, 'invalid_list_line', 'no path', { id: id || undefined })
  if (label.trim() === '') return badLine(line, 'missing_label', 'no label after the path', { path, id: id || path })
  const parsedLabel = labelSchema.safeParse(label.trim())
  const parsedId = itemIdSchema.safeParse(id === '' ? path : id)
  if (!parsedLabel.success) return badLine(line, 'invalid_list_line', 'the label is too long', { path, id: id || path })
  if (!parsedId.success || path.includes('\0')) return badLine(line, 'invalid_list_line', 'path or id is too long or has control characters')
  return { line, path, label: parsedLabel.data, id: parsedId.data }
}

/** Entries of all lines that are not blank, in order. */
export async function* readList(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<ListEntry> {
  for await (const { line, bytes, tooLong } of splitLines(chunks)) {
    if (tooLong) {
      yield badLine(line, 'invalid_list_line', `longer than ${maxLineBytes} bytes`)
      continue
    }
    const raw = decodeLine(bytes)
    if (raw === undefined) {
      yield badLine(line, 'invalid_list_line', 'not UTF-8')
      continue
    }
    const text = (line === 1 ? raw.replace(/^\uFEFF/, '') : raw).replace(/\r$/, '')
    if (text.trim() !== '') yield parseListLine(line, text)
  }
}
