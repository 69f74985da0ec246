// A query picture of an example, and the query list: `path<TAB>label[<TAB>fields of the
// yaml][<TAB>kind]`.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { unknownLabel } from '@likeness/drawing/example-set'
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

/** UserError with the line number for a line without a label. */
export async function readQueryList(
  file: string,
  { root, fields }: { root: string; fields: readonly string[] }
): Promise<ExampleQuery[]> {
  const lines = (await readFile(file, 'utf8')).replace(/^\uFEFF/, '').split(/\r?\n/)
  return lines.flatMap((line, at) => {
    if (line.trim() === '') return []
    const [path = '', label = '', ...more] = line.split('\t')
    if (path === '' || label === '')
      throw new UserError(`${file}:${at + 1}: path<TAB>label is expected`)
    const given = fields.flatMap((name, i): [string, string][] =>
      more[i] === undefined || more[i] === '' ? [] : [[name, more[i]]]
    )
    const labels = labelsOf(label)
    return [
      {
        name: path,
        file: join(root, path),
        labels,
        fields: Object.fromEntries(given),
        kind: more[fields.length] ?? defaultKind(labels)
      }
    ]
  })
}

export const defaultKind = (labels: readonly string[]): string =>
  ['unknown', 'known'][labels.length] ?? 'several'
