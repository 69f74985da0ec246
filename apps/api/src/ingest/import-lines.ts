// Builds the item list of an import from the paths of a folder, prefix or list. A bad path becomes
// a failed item, never an error of the job.
import { createReadStream } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import {
  type ItemFailure,
  itemIdSchema,
  type ItemListLine,
  labelSchema,
  type Metadata
} from '@likeness/shared/contract/item-list'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { meaningsOf, whyOutside } from '@likeness/shared/data/picture-path'
import { appError, isAppError } from '@likeness/shared/errors'
import { checkKey } from '@likeness/store/object-key'
import type { ObjectStore } from '@likeness/store/object-store'
import { openInside } from './import-root.ts'
import { type ListEntry, type ListFile, readList } from './list-file.ts'
import { walkFolder } from './walk-folder.ts'

const copiesAtOnce = 8
const looksAtOnce = 8
/**
 * A file up to this size is copied in a single piece. Most pictures are small, and a stream costs
 * more than such a copy.
 */
const copiedWholeBytes = 1024 ** 2

/** A future item, before its ordinal and picture are known. */
interface Candidate {
  /** Path relative to the folder or the prefix; of a list, as the line has it. */
  path: string
  /** undefined: the path of the found picture is the id. */
  id: string | undefined
  label: string | null
  metadata?: Metadata
  line?: number
  failure?: ItemFailure
}

export interface LinesSource {
  store: ObjectStore
  /** Uploaded list file on disk. Without a list, every file below is taken. */
  list: ListFile | undefined
  /** `folder`: the first folder on an item's path is the label. */
  label: 'folder' | 'none'
  maxBytes: number
}

/** Returns label and id of a path that is not in a list. */
function candidateOf(path: string, id: string, label: LinesSource['label']): Candidate {
  const slash = path.indexOf('/')
  const folder = label === 'folder' && slash > 0 ? path.slice(0, slash) : null
  if (
    itemIdSchema.safeParse(id).success &&
    (folder === null || labelSchema.safeParse(folder).success)
  )
    return { path, id, label: folder }
  const safeId = id.replace(/[\u0000-\u001f\u007f]/g, '?').slice(0, 1024)
  return {
    path,
    id: safeId,
    label: null,
    failure: { code: 'invalid_key', message: 'the path is too long or has control characters' }
  }
}

const fromEntry = ({ path, id, label, metadata, line, failure }: ListEntry): Candidate => ({
  path,
  id: id === path ? undefined : id,
  label,
  line,
  ...(metadata && { metadata }),
  ...(failure && { failure })
})

async function* fromList({ path, format }: ListFile): AsyncGenerator<Candidate> {
  for await (const entry of readList(createReadStream(path), format)) yield fromEntry(entry)
}

async function* fromFolder(root: string, label: LinesSource['label']): AsyncGenerator<Candidate> {
  for await (const { path, failure } of walkFolder(root)) {
    const candidate = candidateOf(path, path, label)
    yield failure === undefined ? candidate : { ...candidate, failure }
  }
}

const toLine = (
  { path, id, label, metadata, line, failure }: Candidate,
  ordinal: number,
  imageKey: string | null
): ItemListLine => ({
  ordinal,
  id: id ?? path,
  label,
  imageKey,
  ...(metadata !== undefined && { metadata }),
  ...(line !== undefined && { line }),
  ...(failure !== undefined && { failure })
})

/** The id of an item without one is the path where its picture is. */
const foundAt = (candidate: Candidate, path: string | undefined): Candidate =>
  itemIdSchema.safeParse(path).success ? { ...candidate, path: path! } : candidate

/** Folder of an import: its real path, and the path as the request has it. */
export interface ImportFolder {
  root: string
  given: string
}

/** Yields the items of a folder on disk: each file is copied into the store. */
export function folderLines(
  source: LinesSource,
  { root, given }: ImportFolder,
  keyOf: (n: number) => string
): AsyncGenerator<ItemListLine> {
  const fromWalk = source.list === undefined
  const candidates = fromWalk ? fromFolder(root, source.label) : fromList(source.list!)
  return mapInOrder(candidates, copiesAtOnce, async (candidate, ordinal) => {
    if (candidate.failure !== undefined) return toLine(candidate, ordinal, null)
    // The names of a walk are those of the disk.
    const meanings = fromWalk ? [candidate.path] : meaningsOf(candidate.path, [root, given])
    try {
      const imageKey = keyOf(ordinal)
      const path = await copyFile(source, { root, written: candidate.path, meanings }, imageKey)
      return toLine(foundAt(candidate, path), ordinal, imageKey)
    } catch (error) {
      // A store that is away is a problem of the import. An error of the file is a problem of the
      // item.
      if (!isAppError(error) || error.status >= 500) throw error
      const message =
        error.code === 'too_large'
          ? `${candidate.path} has more than ${source.maxBytes} bytes`
          : error.message
      const failure = { code: error.code, message }
      return toLine({ ...foundAt(candidate, meanings[0]), failure }, ordinal, null)
    }
  })
}

interface WantedFile {
  root: string
  /** Path of the list, for messages. */
  written: string
  meanings: readonly string[]
}

/** Opens the first meaning that is a file; rejects for what the first meaning lacks. */
async function openMeant({ root, written, meanings }: WantedFile) {
  const [first, ...others] = meanings
  if (first === undefined)
    throw appError('path_outside_root', whyOutside(written, 'the import root'))
  try {
    return { path: first, ...(await openInside(root, first)) }
  } catch (error) {
    if (!isAppError(error, 'image_missing')) throw error
    for (const path of others) {
      const opened = await openInside(root, path).catch(() => undefined)
      if (opened !== undefined) return { path, ...opened }
    }
    throw error
  }
}

/** Returns the path of the copied file below the root. */
async function copyFile(
  { store, maxBytes }: LinesSource,
  wanted: WantedFile,
  key: string
): Promise<string> {
  const { path, handle, sizeBytes } = await openMeant(wanted)
  try {
    if (sizeBytes > copiedWholeBytes) await copyStreamed(store, key, handle, maxBytes)
    else await store.put(key, await readWhole(handle, maxBytes))
    return path
  } finally {
    await handle.close().catch(() => {})
  }
}

async function copyStreamed(
  store: ObjectStore,
  key: string,
  handle: FileHandle,
  maxBytes: number
): Promise<void> {
  const stream = handle.createReadStream({ autoClose: true })
  try {
    await store.putStream(key, stream, { maxBytes })
  } finally {
    stream.destroy()
  }
}

/** Checks the size again: the file may have grown since the open. */
async function readWhole(handle: FileHandle, maxBytes: number): Promise<Uint8Array> {
  const bytes = await handle.readFile()
  if (bytes.byteLength > maxBytes)
    throw appError(
      'too_large',
      `the file has ${bytes.byteLength} bytes, at most ${maxBytes} are taken`
    )
  return bytes
}

/** Yields items of the store's own objects under `prefix` (ends with `/`): referred to in place. */
export function prefixLines(source: LinesSource, prefix: string): AsyncGenerator<ItemListLine> {
  return source.list === undefined
    ? listedObjects(source, prefix)
    : mapInOrder(fromList(source.list), looksAtOnce, (candidate, ordinal) =>
        listedLine(source.store, { candidate, prefix }, ordinal)
      )
}

async function* listedObjects(source: LinesSource, prefix: string): AsyncGenerator<ItemListLine> {
  let ordinal = 0
  for await (const { key, sizeBytes } of source.store.list(prefix)) {
    const candidate = candidateOf(key.slice(prefix.length), key, source.label)
    if (sizeBytes > source.maxBytes)
      candidate.failure ??= {
        code: 'too_large',
        message: `${sizeBytes} bytes, at most ${source.maxBytes}`
      }
    yield toLine(candidate, ordinal++, candidate.failure === undefined ? key : null)
  }
}

/**
 * A path with a single meaning is not looked for: the embedder fails a missing key with
 * image_missing.
 */
async function listedLine(
  store: ObjectStore,
  { candidate, prefix }: { candidate: Candidate; prefix: string },
  ordinal: number
): Promise<ItemListLine> {
  if (candidate.failure !== undefined) return toLine(candidate, ordinal, null)
  const { path: written } = candidate
  const failed = (failure: ItemFailure): ItemListLine =>
    toLine({ ...candidate, failure }, ordinal, null)
  const keys = meaningsOf(written)
    .filter((path) => path !== '')
    .map((path) => `${prefix}${path}`)
  if (keys.length === 0)
    return failed({ code: 'path_outside_root', message: whyOutside(written, 'the prefix') })
  const failures = keys.map(keyFailure)
  if (failures[0] !== undefined) return failed(failures[0])
  const key = await firstStored(
    store,
    keys.filter((_, i) => failures[i] === undefined)
  )
  const found = foundAt(candidate, key)
  return toLine(found, ordinal, key)
}

async function firstStored(store: ObjectStore, keys: readonly string[]): Promise<string> {
  if (keys.length > 1) for (const key of keys) if ((await store.head(key)) !== undefined) return key
  return keys[0]!
}

function keyFailure(key: string): ItemFailure | undefined {
  try {
    checkKey(key)
    return undefined
  } catch (error) {
    if (!isAppError(error)) throw error
    return { code: error.code, message: error.message }
  }
}
