// Sends a list to the API in parts, each under its own Idempotency-Key, so that an interrupted
// build continues. An API on this machine reads the pictures itself. An API that may not read them,
// or runs elsewhere, receives the pictures.
import { realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ListLine } from '@likeness/shared/contract/http/imports'
import { isInside } from '@likeness/shared/process/inside-folder'
import type { ApiClient } from '../api/api-client.ts'
import { ApiProblem } from '../api/api-problem.ts'
import type { UploadFile } from '../api/import-calls.ts'
import { keepTrying } from '../connect/keep-trying.ts'

/** Lines of a single import from disk. */
export const linesPerImport = 2_000
/** Most pictures, and about the most bytes, of a single upload. */
const filesPerUpload = 500
const bytesPerUpload = 64 * 1024 * 1024

export interface LineFailure {
  line: number
  path: string
  code: string
  message: string
}
export interface SubmittedJob {
  id: string
  total: number
  /** Line of the list by ordinal, for jobs that do not know the line. */
  lines?: Uint32Array
}
export interface SubmittedPart {
  jobs: SubmittedJob[]
  /** Lines that never became part of a job. */
  failures: LineFailure[]
}
export interface SubmitDeps {
  api: ApiClient
  collection: string
  imageRoot: string
  /** The same for the same build, also after a new start. */
  keyBase: string
  onTrouble: (error: unknown) => void
}

export async function* submitParts(
  deps: SubmitDeps,
  lines: AsyncIterable<ListLine>
): AsyncGenerator<SubmittedPart> {
  let byUpload = !isLoopback(deps.api.url)
  let at = 0
  for await (const part of inParts(lines, linesPerImport)) {
    const key = `${deps.keyBase}-${at}`
    if (!byUpload) {
      const accepted = await importPart(deps, part, key)
      if (accepted === undefined) byUpload = true
      else yield accepted
    }
    if (byUpload) yield* uploadPart(deps, part, key)
    at += part.length
  }
}

const isLoopback = (url: string): boolean =>
  ['localhost', '127.0.0.1', '[::1]'].includes(new URL(url).hostname)

async function* inParts(lines: AsyncIterable<ListLine>, size: number): AsyncGenerator<ListLine[]> {
  let part: ListLine[] = []
  for await (const line of lines) {
    part.push(line)
    if (part.length < size) continue
    yield part
    part = []
  }
  if (part.length > 0) yield part
}

/** undefined when the API may not read the folder, or does not see the folder. */
async function importPart(
  { api, collection, imageRoot, onTrouble }: SubmitDeps,
  lines: ListLine[],
  key: string
): Promise<SubmittedPart | undefined> {
  try {
    const { job, total } = await keepTrying(
      () => api.importLines(collection, { root: imageRoot, lines, key }),
      { onTrouble }
    )
    return { jobs: [{ id: job, total }], failures: [] }
  } catch (error) {
    if (
      error instanceof ApiProblem &&
      ['path_outside_root', 'object_not_found'].includes(error.code)
    )
      return undefined
    throw error
  }
}

async function* uploadPart(
  deps: SubmitDeps,
  lines: readonly ListLine[],
  key: string
): AsyncGenerator<SubmittedPart> {
  const root = await realpath(deps.imageRoot)
  let batch: Upload[] = []
  let bytes = 0
  let failures: LineFailure[] = []
  for (const line of lines) {
    const found = await findPicture(root, line)
    if ('code' in found) {
      failures.push(found)
      continue
    }
    batch.push(found)
    bytes += found.sizeBytes
    if (batch.length < filesPerUpload && bytes < bytesPerUpload) continue
    const sent = await sendBatch(deps, batch, key)
    yield { jobs: sent.jobs, failures: [...failures, ...sent.failures] }
    failures = []
    batch = []
    bytes = 0
  }
  const sent = batch.length > 0 ? await sendBatch(deps, batch, key) : { jobs: [], failures: [] }
  if (sent.jobs.length + sent.failures.length + failures.length > 0)
    yield { jobs: sent.jobs, failures: [...failures, ...sent.failures] }
}

interface Upload extends UploadFile {
  line: number
  path: string
  sizeBytes: number
}

async function findPicture(
  root: string,
  { path, id, label, metadata, line = 0, failure }: ListLine
): Promise<Upload | LineFailure> {
  const failed = (code: string, message: string): LineFailure => ({ line, path, code, message })
  if (failure !== undefined) return failed(failure.code, failure.message)
  try {
    const file = await realpath(join(root, path))
    if (!isInside(root, file)) return failed('path_outside_root', `${path} is not inside ${root}`)
    const { size, isFile } = await stat(file).then((found) => ({
      size: found.size,
      isFile: found.isFile()
    }))
    if (!isFile) return failed('image_missing', `${path} is not a regular file`)
    return { id: id ?? path, label: label ?? null, metadata, file, line, path, sizeBytes: size }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR')
      return failed('image_missing', `${path} does not exist`)
    if (code === undefined) throw error
    return failed('image_missing', `${path} cannot be read (${code})`)
  }
}

/** Sends a batch. A refused batch is halved until the refused picture stands alone. */
async function sendBatch(
  deps: SubmitDeps,
  batch: readonly Upload[],
  keyBase: string
): Promise<SubmittedPart> {
  const key = `${keyBase}-${batch[0]!.line}-${batch.at(-1)!.line}`
  try {
    const { job, total } = await keepTrying(
      () => deps.api.uploadPictures(deps.collection, batch, key),
      { onTrouble: deps.onTrouble }
    )
    return {
      jobs: [{ id: job, total, lines: Uint32Array.from(batch, ({ line }) => line) }],
      failures: []
    }
  } catch (error) {
    if (!(error instanceof ApiProblem) || ![400, 413, 415, 422].includes(error.status)) throw error
    if (batch.length === 1)
      return {
        jobs: [],
        failures: [
          { line: batch[0]!.line, path: batch[0]!.path, code: error.code, message: error.detail }
        ]
      }
    const middle = batch.length >> 1
    const halves = [
      await sendBatch(deps, batch.slice(0, middle), keyBase),
      await sendBatch(deps, batch.slice(middle), keyBase)
    ]
    return {
      jobs: halves.flatMap(({ jobs }) => jobs),
      failures: halves.flatMap(({ failures }) => failures)
    }
  }
}
