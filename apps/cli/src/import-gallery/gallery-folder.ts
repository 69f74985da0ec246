// Opens a gallery folder of another program, or of `likeness export`: the items, and their rows of
// the index.
import { createReadStream } from 'node:fs'
import { stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import { maxIdMapLineBytes } from '@likeness/shared/contract/limits'
import type { BatchRow } from '@likeness/shared/contract/vector-batch'
import { readTextLines } from '@likeness/shared/data/text-lines'
import { fileNames } from '../export/export-folder.ts'
import {
  type ExportNote,
  readExportNote,
  type RowLine,
  rowLineSchema
} from '../export/export-note.ts'
import { type ListConfig, readDataList } from '../gallery-config/data-list.ts'
import { readIdMap } from '../id-map/read-id-map.ts'
import { UserError } from '../user-error.ts'

export interface FoundItem {
  line: ListLine
  /** Ids of the item's vectors in the index. */
  rows: number[]
  /** Description of each row; absent where unknown. */
  described?: { width: number; height: number; rows: BatchRow[] }
}
export interface GalleryFolder {
  dir: string
  indexFile: string
  /** The file that names the items. */
  mapFile: string
  /** Note of our own export; undefined for a gallery of PP-ShiTu. */
  note: ExportNote | undefined
  /** Number of rows that the map names. */
  rowCount: number
  /**
   * Yields every item, in the order of the map; bad items with their failure. Can be read again.
   */
  items(): AsyncIterable<FoundItem>
}

export interface OpenOptions {
  imageRoot: string | undefined
  delimiter: string | undefined
  fields: string[]
  /** Folder for a copy of the texts of an id map. */
  scratchDir: string
}

/** UserError for every missing or wrong file. */
export async function openGalleryFolder(dir: string, options: OpenOptions): Promise<GalleryFolder> {
  if (!(await stat(dir).catch(() => undefined))?.isDirectory())
    throw new UserError(`${dir} is no folder: name the index_dir of a gallery`)
  const note = await readExportNote(dir)
  const indexFile = join(dir, fileNames.index)
  const mapFile = join(dir, note === undefined ? fileNames.pickle : fileNames.rows)
  for (const file of [mapFile, indexFile])
    if (!(await stat(file).catch(() => undefined))?.isFile())
      throw new UserError(
        `${file} does not exist: a gallery is ${fileNames.index} with ${fileNames.pickle}`
      )
  if (note !== undefined)
    return {
      dir,
      indexFile,
      mapFile,
      note,
      rowCount: note.rows,
      items: () => exportedItems(mapFile)
    }
  const map = readIdMap(mapFile)
  if (map.size === 0) throw new UserError(`${mapFile} names no pictures`)
  const list = await writeTexts(map, { mapFile, ...options })
  return {
    dir,
    indexFile,
    mapFile,
    note,
    rowCount: map.size,
    items: () => listedItems(list, [...map.keys()])
  }
}

/** Writes the texts as a list, a line each. */
async function writeTexts(
  map: Map<number, string>,
  { mapFile, scratchDir, ...options }: OpenOptions & { mapFile: string }
): Promise<ListConfig> {
  const dataFile = join(scratchDir, 'id_map.txt')
  for (const [id, text] of map)
    if (text.trim() === '' || /[\r\n]/.test(text))
      throw new UserError(
        `${mapFile}: the text of ${id} is ${text.trim() === '' ? 'empty' : 'more than one line'}: ${JSON.stringify(text.slice(0, 100))}`
      )
  await writeFile(
    dataFile,
    (function* () {
      for (const text of map.values()) yield `${text}\n`
    })()
  )
  return { file: mapFile, dataFile, ...options }
}

/** Yields items. Texts with the same path and the same label are rows of the same item. */
async function* listedItems(list: ListConfig, ids: readonly number[]): AsyncGenerator<FoundItem> {
  const repeated = new Map<number, number[]>()
  const onDuplicate = (line: number, firstLine: number): void =>
    void repeated.set(firstLine, [...(repeated.get(firstLine) ?? []), ids[line - 1]!])
  // Reads once for the rows that come later, and once for the items.
  for await (const line of readDataList(list, { onDuplicate })) void line
  for await (const line of readDataList(list))
    yield { line, rows: [ids[line.line! - 1]!, ...(repeated.get(line.line!) ?? [])] }
}

async function* exportedItems(file: string): AsyncGenerator<FoundItem> {
  let held: FoundItem | undefined
  for await (const read of readTextLines(createReadStream(file), {
    maxLineBytes: maxIdMapLineBytes
  })) {
    const { row, id, label, metadata, width, height, ...what } = parseRow(file, read)
    if (held?.line.path === id) {
      held.rows.push(row)
      held.described!.rows.push(what)
      continue
    }
    if (held !== undefined) yield held
    held = {
      line: { path: id, id, label, line: read.line, ...(metadata && { metadata }) },
      rows: [row],
      described: { width, height, rows: [what] }
    }
  }
  if (held !== undefined) yield held
}

function parseRow(file: string, read: { line: number; text?: string; problem?: string }): RowLine {
  try {
    if (read.text !== undefined) return rowLineSchema.parse(JSON.parse(read.text))
  } catch {
    // The error below names the line.
  }
  throw new UserError(
    `${file}:${read.line}: ${read.problem ?? 'not a line that `likeness export` writes'}`
  )
}
