// Becoming the owner of a collection that cannot be opened, because CURRENT, its manifest or a segment is damaged: when a rebuild was asked for
// since its last commit, it is made again from log and batches. Nothing is repaired unasked, and what the log itself lost stays lost.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { parseManifestKey } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import { ulidTimeMs } from '@likeness/shared/data/ulid'
import { appError, isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { readHistory } from '../log/log-history.ts'
import { recoverState } from '../rebuild/recover.ts'
import type { VersionedCurrent } from '../version/current.ts'
import { emptyManifest, type Manifest } from '../version/manifest.ts'
import { readCommitted } from '../version/read-manifest.ts'
import { CollectionWriter } from './collection-writer.ts'
import { bindWriter, openCollectionWriter, rebuildCollection } from './open-writer.ts'
import type { BoundWriterDeps, WriterDeps } from './writer-deps.ts'

/** Between the clocks of who asks and who commits. */
const clockSlackMs = 5_000

/** undefined when the collection is gone; data_corrupt when it is damaged and nobody asked for a rebuild. `created`: as the catalogue has it. */
export async function openOrRebuild(
  deps: WriterDeps,
  created: () => Promise<CollectionSpec | undefined>
): Promise<CollectionWriter | undefined> {
  try {
    return await openCollectionWriter(deps)
  } catch (error) {
    const spec = isAppError(error, 'data_corrupt') ? await created() : undefined
    if (spec === undefined) throw error
    const bound = bindWriter(deps)
    const manifest = await readWhole(bound)
    const revision = await asLogged(() => lastRequest(bound, spec, manifest))
    if (revision === undefined) throw error
    deps.logger.warn(
      { err: error, revision },
      'damaged, and made again from log and batches as was asked'
    )
    return manifest === undefined
      ? await recoverCollection(bound, spec)
      : await rebuildCollection(deps, { untilSlot: slotOf(revision) })
  }
}

/** undefined when it is damaged too. */
async function readWhole({
  store,
  clock,
  collectionId,
  signal
}: BoundWriterDeps): Promise<Manifest | undefined> {
  try {
    return await retryStore(clock, () => readCommitted(store, collectionId), signal)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}

/** What is missing from the log cannot be made again. */
async function asLogged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw isAppError(error, 'object_not_found')
      ? appError('data_corrupt', error.message, { cause: error })
      : error
  }
}

/** Revision of the last request for a rebuild that no commit has met. */
async function lastRequest(
  deps: BoundWriterDeps,
  { settings }: CollectionSpec,
  manifest: Manifest | undefined
): Promise<number | undefined> {
  const { rebuilds } = await readHistory(deps, settings)
  const newest = manifest === undefined ? await newestManifest(deps) : undefined
  const isOpen = ({ revision, atMs }: (typeof rebuilds)[number]): boolean =>
    manifest === undefined
      ? atMs >= ulidTimeMs(newest!.commitId) - clockSlackMs
      : slotOf(revision) > manifest.appliedSlot
  return rebuilds.findLast(isOpen)?.revision
}

/** By its name, whatever it holds. */
async function newestManifest({
  store,
  clock,
  keys,
  signal
}: BoundWriterDeps): Promise<{ seq: number; epoch: number; commitId: string; manifest: string }> {
  return await retryStore(
    clock,
    async () => {
      let newest = { seq: 0, epoch: 0, commitId: '', manifest: '' }
      // In the order of seq and epoch.
      for await (const { key } of store.list(keys.manifestPrefix))
        newest = { ...newest, ...parseManifestKey(key), manifest: key }
      return newest
    },
    signal
  )
}

/** Where CURRENT says nothing, its next version comes after all that there were; it can only be written over what was read here. */
async function becomeWriter(deps: BoundWriterDeps): Promise<VersionedCurrent | undefined> {
  const { store, clock, keys, newId, protocol, context, signal } = deps
  try {
    return await protocol.becomeWriter(context)
  } catch (error) {
    if (!isAppError(error, 'data_corrupt')) throw error
    const stored = await retryStore(clock, () => store.get(keys.current), signal)
    const newest = await newestManifest(deps)
    return (
      stored && {
        current: { format: 1, ...newest, epoch: newest.epoch + 1, sha256: '', writeId: newId() },
        etag: stored.etag
      }
    )
  }
}

async function recoverCollection(
  deps: BoundWriterDeps,
  created: CollectionSpec
): Promise<CollectionWriter | undefined> {
  const versionedCurrent = await becomeWriter(deps)
  if (versionedCurrent === undefined) return undefined
  const { seq, epoch, commitId } = versionedCurrent.current
  const state = await asLogged(() => recoverState(deps, created))
  const writer = new CollectionWriter(deps, {
    versionedCurrent,
    manifest: { ...emptyManifest(created, commitId), seq, epoch },
    state
  })
  await writer.step({})
  return writer
}
