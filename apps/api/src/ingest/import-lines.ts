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
import { appError, isAppError } from '@likeness/shared/errors'
import { checkKey } from '@likeness/store/object-key'
import type { ObjectStore } from '@likeness/store/object-store'
import { openInside } from './import-root.ts'
import { type ListEntry, type ListFile, readList } from './list-file.ts'
import { walkFolder } from './walk-folder.ts'

const copiesAtOnce = 8
/**
 * A file up to this size is copied in a single piece. Most pictures are small, and a stream costs
 * more than such a copy.
 */
const copiedWholeBytes = 1024 ** 2

/** A future item, before its ordinal and picture are known. */
interface Candidate {
  /** Path relative to the folder or the prefix. */
  path: string
  id: string
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
  id,
  label,
  line,
  ...(metadata && { metadata }),
  ...(failure && { failure })
})

async function* fromList({ path, format }: ListFile): AsyncGenerator<Candidate> {
  for await (const entry of readList(createReadStream(path), format)) yield fromEntry(entry)
}

async function* fromFolder(root: string, label: LinesSource['label']): AsyncGenerator<Candidate> {
  for await (const path of walkFolder(root)) yield candidateOf(path, path, label)
}

const toLine = (
  { id, label, metadata, line, failure }: Candidate,
  ordinal: number,
  imageKey: string | null
): ItemListLine => ({
  ordinal,
  id,
  label,
  imageKey,
  ...(metadata !== undefined && { metadata }),
  ...(line !== undefined && { line }),
  ...(failure !== undefined && { failure })
})

/**
 * Yields the items of a folder on disk: each file is copied into the store. `root` is a real path.
 */
export function folderLines(
  source: LinesSource,
  root: string,
  keyOf: (n: number) => string
): AsyncGenerator<ItemListLine> {
  const candidates =
    source.list === undefined ? fromFolder(root, source.label) : fromList(source.list)
  return mapInOrder(candidates, copiesAtOnce, async (candidate, ordinal) => {
    if (candidate.failure !== undefined) return toLine(candidate, ordinal, null)
    try {
      const imageKey = keyOf(ordinal)
      await copyFile(source, root, candidate.path, imageKey)
      return toLine(candidate, ordinal, imageKey)
    } catch (error) {
      // A store that is away is a problem of the import. An error of the file is a problem of the
      // item.
      if (!isAppError(error) || error.status >= 500) throw error
      const message =
        error.code === 'too_large'
          ? `${candidate.path} has more than ${source.maxBytes} bytes`
          : error.message
      return toLine({ ...candidate, failure: { code: error.code, message } }, ordinal, null)
    }
  })
}

async function copyFile(
  { store, maxBytes }: LinesSource,
  root: string,
  path: string,
  key: string
): Promise<void> {
  const { handle, sizeBytes } = await openInside(root, path)
  try {
    if (sizeBytes > copiedWholeBytes) await copyStreamed(store, key, handle, maxBytes)
    else await store.put(key, await readWhole(handle, maxBytes))
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
export async function* prefixLines(
  source: LinesSource,
  prefix: string
): AsyncGenerator<ItemListLine> {
  let ordinal = 0
  if (source.list !== undefined) {
    for await (const candidate of fromList(source.list))
      yield listedLine(candidate, prefix, ordinal++)
    return
  }
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

/** A listed key is not checked here. The embedder fails a missing key with image_missing. */
function listedLine(candidate: Candidate, prefix: string, ordinal: number): ItemListLine {
  if (candidate.failure !== undefined) return toLine(candidate, ordinal, null)
  const key = `${prefix}${candidate.path}`
  const failure =
    candidate.path.split('/').includes('..') || candidate.path.startsWith('/')
      ? { code: 'path_outside_root', message: `${candidate.path} is not under the prefix` }
      : keyFailure(key)
  const id =
    candidate.id === candidate.path && itemIdSchema.safeParse(key).success ? key : candidate.id
  return failure === undefined
    ? toLine({ ...candidate, id }, ordinal, key)
    : toLine({ ...candidate, failure }, ordinal, null)
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
