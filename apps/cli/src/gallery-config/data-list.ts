// Reads the list of a gallery: pictures with labels. A bad line becomes a failed item with the line
// number; only an unusable list is an error.
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import { itemIdSchema, labelSchema } from '@likeness/shared/contract/item-list'
import { whyOutside } from '@likeness/shared/data/picture-path'
import { sha256Of } from '@likeness/shared/data/sha256'
import { controlCharacterIn } from '@likeness/shared/data/text-lines'
import { parseCsv } from './csv-records.ts'
import { type FindPicture, isFile, pictureFinder } from './find-picture.ts'
import { readListLines } from './list-lines.ts'
import { UserError } from '../user-error.ts'
import type { GalleryConfig } from './load-gallery-config.ts'

/** Without an `imageRoot`, no picture is checked. */
export type ListConfig = Pick<GalleryConfig, 'file' | 'dataFile' | 'delimiter' | 'fields'> & {
  imageRoot: string | undefined
}
export interface ReadOptions {
  /** Called for a line with the same picture and the same label: the line is skipped. */
  onDuplicate?: (line: number, firstLine: number) => void
}
export interface ListFingerprint {
  lines: number
  sha256: string
}
export interface WrittenLine {
  line: ListLine
  /** Path as the list has it. */
  written: string
  /** An earlier line with the same picture and the same label. */
  repeats?: number
}

interface Fields {
  path: string
  label: string
  more: string[]
  /** Set when the line cannot be split. */
  problem?: string
}
type Split = (text: string) => Promise<Fields>

/** UserError when data_file or image_root cannot be used, or the list is empty. */
export async function* readDataList(
  config: ListConfig,
  { onDuplicate }: ReadOptions = {}
): AsyncGenerator<ListLine> {
  for await (const { line, repeats } of readWrittenLines(config))
    if (repeats === undefined) yield line
    else onDuplicate?.(line.line!, repeats)
}

/** Yields repeated lines too; rejects as readDataList. */
export async function* readWrittenLines(config: ListConfig): AsyncGenerator<WrittenLine> {
  await checkFolders(config)
  const find = await pictureFinder(config.imageRoot)
  const split = await chooseSplit(config, find)
  const seen = createSeen()
  let lines = 0
  for await (const read of readListLines(config.dataFile)) {
    lines++
    if ('problem' in read) {
      const written = `line-${read.line}`
      yield { line: failedLine(read.line, written, 'invalid_list_line', read.problem), written }
      continue
    }
    const fields = await split(read.text)
    const { path: written } = fields
    const line = toListLine(fields, { line: read.line, config, found: await find(written) })
    const earlier = seen(line, read.line)
    if (earlier === undefined) yield { line, written }
    else if (earlier.sameLabel) yield { line, written, repeats: earlier.line }
    else {
      const message = `${written} has another label in line ${earlier.line}`
      yield { line: failedLine(read.line, line.path, 'invalid_list_line', message), written }
    }
  }
  if (lines === 0) throw new UserError(`${config.dataFile} (data_file of ${config.file}) is empty`)
}

async function checkFolders({ file, dataFile, imageRoot }: ListConfig): Promise<void> {
  const list = await stat(dataFile).catch(() => undefined)
  if (list === undefined)
    throw new UserError(`${file}: data_file ${dataFile} does not exist${slashHint(dataFile)}`)
  if (!list.isFile()) throw new UserError(`${file}: data_file ${dataFile} is not a file`)
  if (imageRoot === undefined) return
  const root = await stat(imageRoot).catch(() => undefined)
  if (root === undefined)
    throw new UserError(`${file}: image_root ${imageRoot} does not exist${slashHint(imageRoot)}`)
  if (!root.isDirectory()) throw new UserError(`${file}: image_root ${imageRoot} is not a folder`)
}

const slashHint = (path: string): string =>
  path.includes('\\') ? ': write / between the names, not \\' : ''

const failedLine = (line: number, path: string, code: string, message: string): ListLine => ({
  path,
  id: itemIdSchema.safeParse(path).success ? path : `line-${line}`,
  line,
  failure: { code, message: `line ${line}: ${message}` }
})

/**
 * Chooses the way to split lines: by the delimiter, by tabs when every line has a tab, else at the
 * end of a file name.
 */
async function chooseSplit(config: ListConfig, find: FindPicture): Promise<Split> {
  const { delimiter } = config
  if (delimiter !== undefined) return async (text) => splitAtDelimiter(text, delimiter)
  let everyLineHasTab = true
  for await (const read of readListLines(config.dataFile))
    everyLineHasTab &&= !('text' in read) || read.text.includes('\t')
  return everyLineHasTab
    ? async (text) => fieldsOf(text.split('\t'))
    : (text) => splitAtFile(text, { imageRoot: config.imageRoot, find })
}

/** With the delimiters of CSV files, fields may stand in quotes. */
function splitAtDelimiter(text: string, delimiter: string): Fields {
  if (!/^[,;]$/.test(delimiter) || !text.includes('"')) return fieldsOf(text.split(delimiter))
  try {
    return fieldsOf(parseCsv(text, delimiter)[0]?.fields ?? [])
  } catch (error) {
    if (error instanceof UserError) return { ...fieldsOf([]), problem: error.message }
    throw error
  }
}

const fieldsOf = ([path = '', label = '', ...more]: string[]): Fields => ({
  path: path.trim() === '' ? '' : path,
  label: label.trim(),
  more
})

/**
 * The path is the longest beginning of the line, cut at a space, that is a file. Without such a
 * file, the path ends at the first space.
 */
async function splitAtFile(
  text: string,
  { imageRoot, find }: { imageRoot: string | undefined; find: FindPicture }
): Promise<Fields> {
  const cuts = [...text.matchAll(/[ \t]+/g)].map((match) => match.index)
  for (const cut of [text.length, ...cuts.reverse()]) {
    const path = text.slice(0, cut)
    const found = imageRoot === undefined ? undefined : await find(path)
    if (found !== undefined && (await isFile(join(imageRoot!, found))))
      return { path, label: text.slice(cut).trim(), more: [] }
  }
  const first = cuts.findLast((at) => text.slice(0, at).trim() !== '') ?? text.length
  return { path: text.slice(0, first), label: text.slice(first).trim(), more: [] }
}

interface Place {
  line: number
  config: ListConfig
  found: string | undefined
}

function toListLine(
  { path: written, label, more, problem = 'no path' }: Fields,
  { line, config, found }: Place
): ListLine {
  const failed = (code: string, message: string): ListLine =>
    failedLine(line, found || written, code, message)
  if (written === '') return failedLine(line, `line-${line}`, 'invalid_list_line', problem)
  const control = controlCharacterIn([written, label, ...more.map((text) => text.trim())])
  if (control !== undefined) return failed('invalid_list_line', control)
  if (found === undefined) return failed('path_outside_root', whyOutside(written, 'image_root'))
  if (found === '') return failed('invalid_list_line', `${written} is a folder, not a picture`)
  if (label === '')
    return failed('missing_label', `no label after the path${delimiterHint(config, written)}`)
  if (!labelSchema.safeParse(label).success)
    return failed('invalid_list_line', 'the label is too long')
  if (!itemIdSchema.safeParse(found).success)
    return failed('invalid_list_line', 'the path is too long')
  const metadata = Object.fromEntries(
    more.flatMap((value, i) =>
      value.trim() === '' ? [] : [[config.fields[i] ?? `field_${i + 2}`, value.trim()]]
    )
  )
  return { path: found, label, line, ...(Object.keys(metadata).length > 0 && { metadata }) }
}

function delimiterHint({ delimiter }: ListConfig, written: string): string {
  if (delimiter !== undefined) return ` and the delimiter ${JSON.stringify(delimiter)}`
  const likely = /[,;|]/.exec(written)?.[0]
  return likely === undefined ? '' : `: give the delimiter, as delimiter: "${likely}"`
}

/** Remembers paths by 12 bytes of their hash: lists have millions of lines. */
function createSeen() {
  const first = new Map<string, { line: number; label: string }>()
  return (
    { path, label, failure }: ListLine,
    line: number
  ): { line: number; sameLabel: boolean } | undefined => {
    if (failure !== undefined) return undefined
    const short = (text: string): string => sha256Of(text).toString('latin1', 0, 12)
    const before = first.get(short(path))
    if (before === undefined) first.set(short(path), { line, label: short(label ?? '') })
    return before && { line: before.line, sameLabel: before.label === short(label ?? '') }
  }
}

/**
 * Fingerprint of the parsed list, and of size and time of each picture. Another list or another
 * picture has another fingerprint.
 */
export const fingerprintList = (config: ListConfig): Promise<ListFingerprint> =>
  fingerprintLines(readDataList(config), config.imageRoot)

export async function fingerprintLines(
  listed: AsyncIterable<ListLine>,
  imageRoot: string | undefined
): Promise<ListFingerprint> {
  const hash = createHash('sha256')
  let lines = 0
  for await (const line of listed) {
    lines++
    const found =
      line.failure === undefined && imageRoot !== undefined
        ? await stat(join(imageRoot, line.path)).catch(() => undefined)
        : undefined
    hash.update(JSON.stringify([line, found?.size ?? null, found?.mtimeMs ?? null]))
  }
  return { lines, sha256: hash.digest('hex') }
}
