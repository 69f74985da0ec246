// Opens the writer of a collection: first the fence, then the committed version is read.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import { isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { loadJobsOnly, loadWriterState, type WriterState } from '../apply/writer-state.ts'
import { readLive } from '../version/current.ts'
import { readFenced } from '../version/fenced-read.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import { readCommitted } from '../version/read-manifest.ts'
import { CollectionWriter } from './collection-writer.ts'
import { findPendingRebuilds } from './pending-rebuilds.ts'
import { realProtocol } from './protocol.ts'
import type { BoundWriterDeps, WriterDeps } from './writer-deps.ts'

/** Becomes the writer by raising the epoch. Returns undefined when the collection is gone. */
export async function openCollectionWriter(
  deps: WriterDeps
): Promise<CollectionWriter | undefined> {
  const writer = await takeCollection(deps, (manifest) => loadWriterState(deps.files, manifest))
  await writer?.closeFinished()
  return writer
}

/**
 * Becomes the writer and makes the collection again from log and batches, without using its segment
 * files. Requests for a rebuild up to `untilSlot` count as done.
 */
export async function rebuildCollection(
  deps: WriterDeps,
  requests?: { untilSlot: number }
): Promise<CollectionWriter | undefined> {
  const writer = await takeCollection(deps, (manifest) => loadJobsOnly(deps.files, manifest))
  await writer?.closeFinished()
  await writer?.rebuild(requests)
  return writer
}

export function bindWriter(deps: WriterDeps): BoundWriterDeps {
  const newId = deps.newId ?? (() => createUlid(deps.clock.nowMs()))
  const keys = collectionKeys(deps.collectionId)
  const protocol = deps.protocol ?? realProtocol
  const context = {
    store: deps.store,
    clock: deps.clock,
    currentKey: keys.current,
    newId,
    signal: deps.signal
  }
  return { ...deps, newId, keys, protocol, context }
}

/**
 * Throws unsupported_store when a newer program wrote the version, before the fence changes CURRENT.
 * A damaged version is met again after the fence.
 */
async function refuseNewer({ store, clock, collectionId, signal }: BoundWriterDeps): Promise<void> {
  try {
    await retryStore(clock, () => readCommitted(store, collectionId), signal)
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
  }
}

const patienceMs = 1_000

/** Waits while a program from before 0.4 may be running that would take our version for damage. */
async function awaitFormerPrograms(deps: BoundWriterDeps): Promise<void> {
  const { store, clock, keys, signal, formerProgramsUntilMs = -Infinity } = deps
  while (clock.nowMs() < formerProgramsUntilMs && signal?.aborted !== true) {
    const current = await retryStore(clock, () => readLive(store, keys.current), signal)
    if (current?.format !== 1) return
    await clock.sleep(Math.min(patienceMs, formerProgramsUntilMs - clock.nowMs()))
  }
}

async function takeCollection(
  deps: WriterDeps,
  load: (manifest: Manifest) => Promise<WriterState>
): Promise<CollectionWriter | undefined> {
  const bound = bindWriter(deps)
  const { protocol, context } = bound
  await refuseNewer(bound)
  await awaitFormerPrograms(bound)
  const versionedCurrent = await protocol.becomeWriter(context)
  if (versionedCurrent === undefined) return undefined
  const opened = await readFenced(context, versionedCurrent.current.epoch, async () => {
    const manifest = await mustReadManifest(
      deps.store,
      versionedCurrent.current.manifest,
      versionedCurrent.current.sha256
    )
    const state = await load(manifest)
    await findPendingRebuilds(bound, state)
    return { versionedCurrent, manifest, state }
  })
  return new CollectionWriter(bound, opened)
}
