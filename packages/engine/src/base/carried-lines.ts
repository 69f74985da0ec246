// Item lines of small ingestions that were open when their slots were folded: those go, the lines stay.
import { z } from 'zod'
import { decodeLines, encodeLines } from '@likeness/shared/contract/checked-object'
import { type ItemListLine, itemListLineSchema } from '@likeness/shared/contract/item-list'
import type { ObjectStore } from '@likeness/store/object-store'
import { type FileRef, fileRefSchema } from '../state/file-ref.ts'
import { readPart } from '../state/read-state.ts'

/** Bytes after which a part ends. */
const partBytes = 1024 * 1024

const revision = z.number().int()
/** The lines of ingestions with revisions from `first` to `last`. */
export const linesPartSchema = z.strictObject({
  first: revision,
  last: revision,
  file: fileRefSchema
})
export type LinesPart = z.infer<typeof linesPartSchema>

/** Lines by the revision of their ingestion. */
export type CarriedLines = Map<number, ItemListLine[]>

const lineSchema = z.tuple([revision, z.array(itemListLineSchema)])

/** Throws data_corrupt. */
export const decodeCarried = (key: string, body: Uint8Array): CarriedLines =>
  new Map(decodeLines(lineSchema, key, body))

/** Throws data_corrupt, or object_not_found. */
export async function readCarried(store: ObjectStore, file: FileRef): Promise<CarriedLines> {
  return decodeCarried(file.key, await readPart(store, file))
}

/** Returns the parts that may have the lines of some of these ingestions. */
export const partsWith = (parts: readonly LinesPart[], revisions: readonly number[]): LinesPart[] =>
  parts.filter(({ first, last }) => revisions.some((one) => one >= first && one <= last))

/** Writes lines in parts. `put`: writes part `number`. */
export async function writeCarried(
  carried: CarriedLines,
  put: (number: number, body: Uint8Array) => Promise<FileRef>
): Promise<LinesPart[]> {
  const parts: LinesPart[] = []
  let held: [number, ItemListLine[]][] = []
  let bytes = 0
  const end = async (): Promise<void> => {
    if (held.length === 0) return
    const file = await put(parts.length, encodeLines(held))
    parts.push({ first: held[0]![0], last: held.at(-1)![0], file })
    held = []
    bytes = 0
  }
  for (const entry of [...carried].sort(([a], [b]) => a - b)) {
    held.push(entry)
    bytes += JSON.stringify(entry[1]).length
    if (bytes >= partBytes) await end()
  }
  await end()
  return parts
}
