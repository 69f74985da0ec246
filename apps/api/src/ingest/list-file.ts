// The list file of an import: `path<TAB>label[<TAB>id]` a line, UTF-8; BOM, CRLF and blank lines are fine. Streams, lists may have millions of lines.
import { itemIdSchema, labelSchema } from '@likeness/shared/contract/item-list'
import type { ItemFailure } from '@likeness/shared/contract/item-list'
import { readTextLines } from '@likeness/shared/text-lines'

export interface ListEntry {
  /** From 1. */
  line: number
  path: string
  label: string | null
  id: string
  failure?: ItemFailure
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
  for await (const read of readTextLines(chunks)) {
    yield 'problem' in read ? badLine(read.line, 'invalid_list_line', read.problem) : parseListLine(read.line, read.text)
  }
}
