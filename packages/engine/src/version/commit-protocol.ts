// The protocol to become the writer of a collection and to commit: rules that keep a former writer
// out.
import { sha256Hex } from '@likeness/shared/data/sha256'
import { appError } from '@likeness/shared/errors'
import type { Clock } from '@likeness/shared/process/clock'
import type { ObjectStore } from '@likeness/store/object-store'
import { retryStore } from '@likeness/store/retry-store'
import {
  type Current,
  isDropped,
  readCurrent,
  swapCurrent,
  type VersionedCurrent,
  withState
} from './current.ts'
import { encodeManifest, type Manifest } from './manifest.ts'

export interface ProtocolContext {
  store: ObjectStore
  clock: Clock
  currentKey: string
  newId: () => string
  signal?: AbortSignal
}

/** A manifest and its key in the store. */
export interface NamedManifest {
  manifest: Manifest
  manifestKey: string
}

export interface CommitProtocol {
  /**
   * Raises the epoch, so that every commit of an earlier writer fails from here on. Returns
   * undefined when the collection is gone.
   */
  becomeWriter(context: ProtocolContext): Promise<VersionedCurrent | undefined>
  /**
   * Writes the manifest first, then CURRENT. Calls `announce` only after the commit. Rejects with
   * ownership_lost.
   */
  commit(
    context: ProtocolContext,
    versionedCurrent: VersionedCurrent,
    version: NamedManifest,
    announce: () => void
  ): Promise<VersionedCurrent>
  /**
   * Moves CURRENT before files are deleted. A commit that another process prepared before can then
   * no longer succeed.
   */
  fenceCollection(
    context: ProtocolContext,
    versionedCurrent: VersionedCurrent
  ): Promise<VersionedCurrent>
}

export const writerReplaced = (currentKey: string, cause?: unknown) =>
  appError('ownership_lost', `another writer owns ${currentKey} now`, { cause })

async function move(
  context: ProtocolContext,
  versionedCurrent: VersionedCurrent,
  next: Current
): Promise<VersionedCurrent> {
  const swap = await swapCurrent({
    ...context,
    key: context.currentKey,
    next,
    etag: versionedCurrent.etag
  })
  if (!swap.won) throw writerReplaced(context.currentKey)
  return { current: next, etag: swap.etag }
}

export const commitProtocol: CommitProtocol = {
  async becomeWriter(context) {
    const { store, clock, currentKey, newId, signal } = context
    for (;;) {
      const found = await retryStore(clock, () => readCurrent(store, currentKey), signal)
      if (found === undefined || isDropped(found.current)) return undefined
      const next = { ...found.current, epoch: found.current.epoch + 1, writeId: newId() }
      const swap = await swapCurrent({ ...context, key: currentKey, next, etag: found.etag })
      if (swap.won) return { current: next, etag: swap.etag }
    }
  },
  async commit(context, versionedCurrent, { manifest, manifestKey }, announce) {
    const body = encodeManifest(manifest)
    await retryStore(context.clock, () => context.store.put(manifestKey, body), context.signal)
    const { seq, commitId, appliedSlot, open, history } = manifest
    const { jobs, items, bytes } = open
    const floor = history?.floor ?? 0
    const next = {
      ...withState(versionedCurrent.current, { appliedSlot, floor, open: { jobs, items, bytes } }),
      seq,
      commitId,
      manifest: manifestKey,
      sha256: sha256Hex(body),
      writeId: context.newId()
    }
    const moved = await move(context, versionedCurrent, next)
    announce()
    return moved
  },
  fenceCollection: (context, versionedCurrent) =>
    move(context, versionedCurrent, { ...versionedCurrent.current, writeId: context.newId() })
}
