// Reads the list of a gallery: pictures with labels. A bad line becomes a failed item with the line
// number; only an unusable list is an error.
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import { itemIdSchema, labelSchema } from '@likeness/shared/contract/item-list'
import { sha256Of } from '@likeness/shared/data/sha256'
import { readTextLines } from '@likeness/shared/data/text-lines'
import { isInside } from '@likeness/shared/process/inside-folder'
import { UserError } from '../user-error.ts'
import type { GalleryConfig } from './load-gallery-config.ts'

/** Without an `imageRoot`, no picture is checked. */
export type ListConfig = Pick<GalleryConfig, 'file' | 'dataFile' | 'delimiter' | 'fields'> & {
  imageRoot: string | undefined
}
export interface ReadOptions {
  /** Called for a line with the same path and the same label: the line is skipped. */
  onDuplicate?: (line: number, firstLine: number) => void
}
export interface ListFingerprint {
  lines: number
  sha256: string
}

interface Fields {
  path: string
  label: string
  more: string[]
}
type Split = (text: string) => Promise<Fields>

/** UserError when data_file or image_root cannot be used, or the list is empty. */
export async function* readDataList(
  config: ListConfig,
  { onDuplicate }: ReadOptions = {}
): AsyncGenerator<ListLine> {
  await checkFolders(config)
  const split = await chooseSplit(config)
  const seen = createSeen()
  let lines = 0
  for await (const read of readTextLines(createReadStream(config.dataFile))) {
    lines++
    if ('problem' in read) {
      yield failedLine(read.line, `line-${read.line}`, 'invalid_list_line', read.problem)
      continue
    }
    const line = toListLine(await split(read.text), read.line, config)
    const earlier = seen(line, read.line)
    if (earlier === undefined) yield line
    else if (earlier.sameLabel) onDuplicate?.(read.line, earlier.line)
    else
      yield failedLine(
        read.line,
        line.path,
        'invalid_list_line',
        `${line.path} has another label in line ${earlier.line}`
      )
  }
  if (lines === 0) throw new UserError(`${config.dataFile} (data_file of ${config.file}) is empty`)
}

async function checkFolders({ file, dataFile, imageRoot }: ListConfig): Promise<void> {
  const list = await stat(dataFile).catch(() => undefined)
  if (list === undefined) throw new UserError(`${file}: data_file ${dataFile} does not exist`)
  if (!list.isFile()) throw new UserError(`${file}: data_file ${dataFile} is not a file`)
  if (imageRoot === undefined) return
  const root = await stat(imageRoot).catch(() => undefined)
  if (root === undefined) throw new UserError(`${file}: image_root ${imageRoot} does not exist`)
  if (!root.isDirectory()) throw new UserError(`${file}: image_root ${imageRoot} is not a folder`)
}

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
async function chooseSplit(config: ListConfig): Promise<Split> {
  const { delimiter } = config
  if (delimiter !== undefined) return async (text) => fieldsOf(text.split(delimiter))
  let everyLineHasTab = true
  for await (const read of readTextLines(createReadStream(config.dataFile)))
    everyLineHasTab &&= !('text' in read) || read.text.includes('\t')
  return everyLineHasTab
    ? async (text) => fieldsOf(text.split('\t'))
    : (text) => splitAtFile(text, config.imageRoot)
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
async function splitAtFile(text: string, imageRoot: string | undefined): Promise<Fields> {
  const cuts = [...text.matchAll(/[ \t]+/g)].map((match) => match.index)
  for (const cut of [text.length, ...cuts.reverse()]) {
    const path = text.slice(0, cut)
    if (imageRoot !== undefined && !isOutside(path) && (await isFile(join(imageRoot, path))))
      return { path, label: text.slice(cut).trim(), more: [] }
  }
  const first = cuts.findLast((at) => text.slice(0, at).trim() !== '') ?? text.length
  return { path: text.slice(0, first), label: text.slice(first).trim(), more: [] }
}

const isFile = async (path: string): Promise<boolean> =>
  path.length <= 4096 &&
  !path.includes('\0') &&
  ((await stat(path).catch(() => undefined))?.isFile() ?? false)

/** True for a path outside the root; such a path is never read from disk. */
const isOutside = (path: string): boolean =>
  isAbsolute(path) || !isInside('/root', join('/root', path))

function toListLine({ path, label, more }: Fields, line: number, { fields }: ListConfig): ListLine {
  if (path === '') return failedLine(line, `line-${line}`, 'invalid_list_line', 'no path')
  if (isOutside(path))
    return failedLine(line, path, 'path_outside_root', `${path} is not inside image_root`)
  if (label === '') return failedLine(line, path, 'missing_label', 'no label after the path')
  if (!labelSchema.safeParse(label).success)
    return failedLine(line, path, 'invalid_list_line', 'the label is too long')
  if (!itemIdSchema.safeParse(path).success)
    return failedLine(
      line,
      path,
      'invalid_list_line',
      'the path is too long or has control characters'
    )
  const metadata = Object.fromEntries(
    more.flatMap((value, i) =>
      value.trim() === '' ? [] : [[fields[i] ?? `field_${i + 2}`, value.trim()]]
    )
  )
  return { path, label, line, ...(Object.keys(metadata).length > 0 && { metadata }) }
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
