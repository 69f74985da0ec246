// Reads the state lines of a version, all of them or those of one kind.
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { type AppError, appError, isAppError } from '@likeness/shared/errors'
import type { ObjectStore } from '@likeness/store/object-store'
import type { FileRef } from './file-ref.ts'
import type { IngestionRecord } from './job-record.ts'
import {
  decodeStateLines,
  type StateKind,
  type StateLine,
  type StateRef,
  type ValueOf
} from './state-lines.ts'

const readsAtOnce = 8

/** Returns the whole file, checked against its sha256. Errors: data_corrupt, object_not_found. */
export type ReadFile = (ref: FileRef) => Promise<Uint8Array>

/** Whether a file is damaged or missing. */
export const isLost = (error: unknown): error is AppError =>
  isAppError(error, 'data_corrupt') || isAppError(error, 'object_not_found')

/** Returns undefined where the file is damaged or missing. */
export async function unlessLost<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (!isLost(error)) throw error
    return undefined
  }
}

/** Reads a small file from the store. Errors: see ReadFile. */
export async function readPart(
  store: ObjectStore,
  { key, sha256 }: Pick<FileRef, 'key' | 'sha256'>
): Promise<Uint8Array> {
  const stored = await store.get(key)
  if (stored === undefined) throw appError('object_not_found', `${key} is missing`)
  if (sha256Hex(stored.body) !== sha256)
    throw appError('data_corrupt', `${key} does not match its checksum`)
  return stored.body
}

/** The values of a version by kind and key. */
export class StateContent {
  private readonly kinds = new Map<StateKind, Map<string, unknown>>()

  add({ kind, key, value }: StateLine): void {
    let values = this.kinds.get(kind)
    if (values === undefined) this.kinds.set(kind, (values = new Map()))
    if (value === null) values.delete(key)
    else values.set(key, value)
  }

  of<K extends StateKind>(kind: K): ReadonlyMap<string, ValueOf<K>> {
    return (this.kinds.get(kind) ?? new Map()) as ReadonlyMap<string, ValueOf<K>>
  }
}

/** The jobs that were open. */
export const openJobs = (content: StateContent): IngestionRecord[] =>
  [...content.of('job').values()].filter(({ completedSeq }) => completedSeq === null)

export async function readStateLines(
  { base, deltas, recent }: StateRef,
  read: ReadFile
): Promise<StateContent> {
  const content = new StateContent()
  const decode = async (ref: FileRef) => decodeStateLines(ref.key, await read(ref))
  for await (const lines of mapInOrder([...base, ...deltas], readsAtOnce, decode))
    for (const line of lines) content.add(line)
  for (const line of recent) content.add(line)
  return content
}
