// The table of a labelled set, `labels.csv`: CSV with quotes, read as a whole.
import { readFile, stat } from 'node:fs/promises'
import { maxLabelsFileBytes } from '@likeness/shared/contract/limits'
import { decodeTextFile } from '@likeness/shared/data/text-encoding'
import { controlCharacterIn } from '@likeness/shared/data/text-lines'
import { type CsvRecord, parseCsv } from '../gallery-config/csv-records.ts'
import { UserError } from '../user-error.ts'

export interface LabelledLine {
  /** Line of the table, from 1. */
  line: number
  path: string
  label: string
  role: string
  /** Pixels of the upright picture: x1, y1, x2, y2. */
  box: [number, number, number, number] | undefined
  extra: string
  /** Set when the line has commas that no quotes enclose: they are taken for a part of the path. */
  unquoted: boolean
}

const columns = ['path', 'label', 'role', 'bbox_xyxy', 'extra']

/** UserError for a table that cannot be read, and as parseLabels. */
export async function readLabels(file: string): Promise<LabelledLine[]> {
  const found = await stat(file).catch(() => undefined)
  if (!found?.isFile()) throw new UserError(`${file} is not a file`)
  if (found.size > maxLabelsFileBytes)
    throw new UserError(`${file} has ${found.size} bytes, at most ${maxLabelsFileBytes} are read`)
  const text = decodeTextFile(await readFile(file))
  if (text === undefined) throw new UserError(`${file} is not UTF-8: save it as UTF-8`)
  return parseLabels(text, file)
}

/** UserError with the line number for a line that cannot be read. */
export function parseLabels(text: string, file: string): LabelledLine[] {
  const [header, ...records] = recordsOf(text, file)
  checkHeader(header?.fields, file)
  return records.map(({ fields: record, line }) => {
    const fail = (message: string): UserError => new UserError(`${file}:${line}: ${message}`)
    if (record.length < columns.length)
      throw fail(`five fields are expected, ${record.length} are there: ${columns.join(',')}`)
    const control = controlCharacterIn(record)
    if (control !== undefined) throw fail(control)
    const [label, role, boxText, extra] = record.slice(-4) as [string, string, string, string]
    return {
      line,
      path: record.slice(0, -4).join(','),
      // Lists trim labels too, and both are compared.
      label: label.trim(),
      role: role.trim(),
      box: boxText === '' ? undefined : parseBox(boxText, fail),
      extra,
      unquoted: record.length > columns.length
    }
  })
}

function recordsOf(text: string, file: string): CsvRecord[] {
  try {
    return parseCsv(text, ',')
  } catch (error) {
    if (error instanceof UserError) throw new UserError(`${file}: ${error.message}`)
    throw error
  }
}

function checkHeader(header: readonly string[] | undefined, file: string): void {
  if (header?.join() === columns.join()) return
  const twice = header?.find((name, at) => header.indexOf(name) !== at)
  const seen = twice === undefined ? header?.join() : `the column ${twice} twice`
  throw new UserError(
    `${file}:1: the first line must be ${columns.join()}${seen === undefined ? '' : `, it has ${JSON.stringify(seen.slice(0, 200))}`}`
  )
}

function parseBox(text: string, fail: (message: string) => UserError): LabelledLine['box'] {
  const parts = text.split('|')
  const numbers = parts.map(Number)
  if (
    numbers.length !== 4 ||
    parts.some((part, i) => part.trim() === '' || !Number.isFinite(numbers[i]))
  )
    throw fail(`the box must be x1|y1|x2|y2 in pixels, not ${JSON.stringify(text.slice(0, 100))}`)
  return numbers as [number, number, number, number]
}
