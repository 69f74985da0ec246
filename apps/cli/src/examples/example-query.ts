// A query picture of an example, and the query list: `path<TAB>label[<TAB>fields of the
// yaml][<TAB>kind]`.
import { unknownLabel } from '@likeness/drawing/example-set'
import { controlCharacterIn, type TextLine } from '@likeness/shared/data/text-lines'
import { requirePictures } from '../gallery-config/find-picture.ts'
import { readListLines } from '../gallery-config/list-lines.ts'
import type { PictureFields } from '../search/search-picture.ts'
import { UserError } from '../user-error.ts'

export interface ExampleQuery {
  /** Name for display. */
  name: string
  file: string
  /** Right labels, each asked for. Empty: the picture shows no thing of the gallery. */
  labels: string[]
  /** Box of the subject in pixels, where known. */
  box?: [number, number, number, number]
  fields: PictureFields
  /** Kind of the query. Numbers are also given for each kind. */
  kind: string
}

export const labelsOf = (text: string): string[] => (text === unknownLabel ? [] : text.split('|'))

/** UserError with the line numbers of lines without a label or a picture. */
export async function readQueryList(
  file: string,
  { root, fields }: { root: string; fields: readonly string[] }
): Promise<ExampleQuery[]> {
  const lines: QueryLine[] = []
  for await (const read of readListLines(file)) lines.push(parseQueryLine(read, file, fields))
  const files = await requirePictures(file, root, lines)
  return lines.map(({ path, labels, fields: given, kind }, at) => ({
    name: path,
    file: files[at]!,
    labels,
    fields: given,
    kind
  }))
}

interface QueryLine extends Pick<ExampleQuery, 'labels' | 'fields' | 'kind'> {
  line: number
  path: string
}

function parseQueryLine(read: TextLine, file: string, fields: readonly string[]): QueryLine {
  const fail = (message: string): UserError => new UserError(`${file}:${read.line}: ${message}`)
  if ('problem' in read) throw fail(read.problem)
  const [path = '', untrimmed = '', ...more] = read.text.split('\t')
  const label = untrimmed.trim()
  if (path === '' || label === '') throw fail('path<TAB>label is expected')
  const control = controlCharacterIn([path, label, ...more])
  if (control !== undefined) throw fail(control)
  const given = fields.flatMap((name, i): [string, string][] =>
    more[i] === undefined || more[i] === '' ? [] : [[name, more[i]]]
  )
  const labels = labelsOf(label)
  return {
    line: read.line,
    path,
    labels,
    fields: Object.fromEntries(given),
    kind: more[fields.length] ?? defaultKind(labels)
  }
}

export const defaultKind = (labels: readonly string[]): string =>
  ['unknown', 'known'][labels.length] ?? 'several'
