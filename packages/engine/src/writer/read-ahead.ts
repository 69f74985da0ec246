// Reads what opening a writer reads, while another process is the writer: for a hand-over without a
// gap. Files have names that are never used again, so what was read stays right. The fence and the
// committed version are read again when the writer is opened.
import { isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { loadWriterState } from '../apply/writer-state.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { FileRef, Manifest } from '../version/manifest.ts'
import { readCommitted } from '../version/read-manifest.ts'
import type { WriterDeps } from './writer-deps.ts'

/** Versions that are tried when their files are collected while they are read. */
const mostVersions = 5

export interface ReadAhead {
  /** Items of the version that was read. */
  items: number
  /** Files for the writer. Each body is given once, so that it is in memory once. */
  files: SegmentFiles
  /** Forgets what the writer did not need. */
  clear(): void
}

/** Returns undefined when the collection is gone. Writes nothing. */
export async function readAhead({
  store,
  clock,
  files,
  collectionId,
  signal
}: Pick<WriterDeps, 'store' | 'clock' | 'files' | 'collectionId' | 'signal'>): Promise<
  ReadAhead | undefined
> {
  const bodies = new Map<string, Uint8Array>()
  const nameOf = ({ key, sha256 }: FileRef): string => `${sha256} ${key}`

  async function keep(ref: FileRef): Promise<Uint8Array> {
    const body = bodies.get(nameOf(ref)) ?? (await files.get(ref))
    bodies.set(nameOf(ref), body)
    return body
  }
  async function take(ref: FileRef): Promise<Uint8Array> {
    const body = bodies.get(nameOf(ref))
    bodies.delete(nameOf(ref))
    return body ?? (await files.get(ref))
  }
  const readOnce = async (): Promise<Manifest | undefined> => {
    const manifest = await readCommitted(store, collectionId)
    if (manifest !== undefined) await loadWriterState({ ...files, get: keep }, manifest)
    return manifest
  }

  for (let tried = 1; ; tried++) {
    try {
      const manifest = await retryStore(clock, readOnce, signal)
      if (manifest === undefined) return undefined
      const { items } = manifest.counts
      return { items, files: { ...files, get: take }, clear: () => bodies.clear() }
    } catch (error) {
      // The writer has moved on, and the files of that version were collected.
      if (!isAppError(error, 'object_not_found') || tried === mostVersions) throw error
    }
  }
}
