// Becoming the owner of a collection: the fence first, then what was committed is read.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { createUlid } from '@likeness/shared/data/ulid'
import { loadWriterState, stateWithoutFiles, type WriterState } from '../apply/writer-state.ts'
import { readFenced } from '../version/fenced-read.ts'
import { type Manifest, mustReadManifest } from '../version/manifest.ts'
import { CollectionWriter } from './collection-writer.ts'
import { realProtocol } from './protocol.ts'
import type { BoundWriterDeps, WriterDeps } from './writer-deps.ts'

/** Takes ownership by raising the epoch. undefined when the collection is gone. */
export async function openCollectionWriter(
  deps: WriterDeps
): Promise<CollectionWriter | undefined> {
  const writer = await takeCollection(deps, (manifest) => loadWriterState(deps.files, manifest))
  await writer?.closeFinished()
  return writer
}

/** Takes ownership and makes the collection again from its log and batches, whatever became of its segment files. Answers requests for that up to a slot. */
export async function rebuildCollection(
  deps: WriterDeps,
  requests?: { untilSlot: number }
): Promise<CollectionWriter | undefined> {
  const writer = await takeCollection(deps, async (manifest) => stateWithoutFiles(manifest))
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

async function takeCollection(
  deps: WriterDeps,
  load: (manifest: Manifest) => Promise<WriterState>
): Promise<CollectionWriter | undefined> {
  const bound = bindWriter(deps)
  const { protocol, context } = bound
  const versionedCurrent = await protocol.becomeWriter(context)
  if (versionedCurrent === undefined) return undefined
  const opened = await readFenced(context, versionedCurrent.current.epoch, async () => {
    const manifest = await mustReadManifest(
      deps.store,
      versionedCurrent.current.manifest,
      versionedCurrent.current.sha256
    )
    return { versionedCurrent, manifest, state: await load(manifest) }
  })
  return new CollectionWriter(bound, opened)
}
