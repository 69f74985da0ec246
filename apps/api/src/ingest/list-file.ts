// The list file of an import: `path<TAB>label[<TAB>id]` per line, or a JSON object per line where
// metadata is needed. The file is streamed, because lists may have millions of lines.
import { type ListLine, listLineSchema } from '@likeness/shared/contract/http/imports'
import {
  type ItemFailure,
  itemIdSchema,
  labelSchema,
  type Metadata
} from '@likeness/shared/contract/item-list'
import { maxListLineBytes } from '@likeness/shared/contract/limits'
import { controlCharacterIn, readTextLines } from '@likeness/shared/data/text-lines'

/** An uploaded list on disk. */
export interface ListFile {
  path: string
  format: 'tsv' | 'ndjson'
}
export interface ListEntry {
  /**
   * Line number from 1. A sender that made this list from another list may give the line number of
   * that list.
   */
  line: number
  path: string
  label: string | null
  /** Default: the path. */
  id: string
  metadata?: Metadata
  failure?: ItemFailure
}

const badLine = (
  line: number,
  code: string,
  message: string,
  known: { path?: string; id?: string } = {}
): ListEntry => {
  const id = itemIdSchema.safeParse(known.id ?? known.path)
  return {
    line,
    path: known.path ?? '',
    label: null,
    id: id.success ? id.data : `line-${line}`,
    failure: { code, message: `line ${line}: ${message}` }
  }
}

/**
 * Parses a line that is not blank. Bad lines become entries with a failure: invalid_list_line or
 * missing_label.
 */
export function parseListLine(line: number, text: string): ListEntry {
  const [path = '', label = '', id = '', ...rest] = text.split('\t')
  if (rest.length > 0)
    return badLine(line, 'invalid_list_line', 'more than three columns', { path, id: id || path })
  if (path === '') return badLine(line, 'invalid_list_line', 'no path', { id: id || undefined })
  if (label.trim() === '')
    return badLine(line, 'missing_label', 'no label after the path', { path, id: id || path })
  const control = controlCharacterIn([path, label, id])
  if (control !== undefined)
    return badLine(line, 'invalid_list_line', control, { path, id: id || path })
  const parsedLabel = labelSchema.safeParse(label.trim())
  if (!parsedLabel.success)
    return badLine(line, 'invalid_list_line', 'the label is too long', { path, id: id || path })
  if (!itemIdSchema.safeParse(id || path).success)
    return badLine(line, 'invalid_list_line', 'path or id is too long')
  return { line, path, label: parsedLabel.data, id: id || path }
}

/** Parses a line of an NDJSON list, the same way. */
export function parseJsonLine(line: number, text: string): ListEntry {
  const parsed = parseJson(text)
  if (!parsed.success) return badLine(line, 'invalid_list_line', parsed.problem)
  const { path, label, metadata, failure, id = path, line: ownLine = line } = parsed.value
  if (failure !== undefined)
    return { ...badLine(ownLine, failure.code, failure.message, { path, id }), failure }
  if (path === '' || path.includes('\0') || !itemIdSchema.safeParse(id).success)
    return badLine(
      ownLine,
      'invalid_list_line',
      'path or id is empty, too long or has control characters'
    )
  return {
    line: ownLine,
    path,
    label: label ?? null,
    id,
    ...(metadata && { metadata })
  }
}

function parseJson(
  text: string
): { success: true; value: ListLine } | { success: false; problem: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { success: false, problem: 'not JSON' }
  }
  const parsed = listLineSchema.safeParse(value)
  if (parsed.success) return { success: true, value: parsed.data }
  const [issue] = parsed.error.issues
  return {
    success: false,
    problem: `${issue!.path.join('.')}: ${issue!.message}`.replace(/^: /, '')
  }
}

/** Yields the entries of all lines that are not blank, in order. */
export async function* readList(
  chunks: AsyncIterable<Uint8Array>,
  format: ListFile['format'] = 'tsv'
): AsyncGenerator<ListEntry> {
  const parse = format === 'ndjson' ? parseJsonLine : parseListLine
  for await (const read of readTextLines(chunks, { maxLineBytes: maxListLineBytes })) {
    yield 'problem' in read
      ? badLine(read.line, 'invalid_list_line', read.problem)
      : parse(read.line, read.text)
  }
}
