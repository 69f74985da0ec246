// Opens a writer of a collection that may be damaged (CURRENT, its manifest or a segment). If a
// rebuild was requested since the last commit, the collection is made again from log and batches.
// Without a request the damage stays. Losses of the log itself are permanent.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { parseManifestKey } from '@likeness/shared/contract/keys'
import { slotOf } from '@likeness/shared/contract/operation'
import { ulidTimeMs } from '@likeness/shared/data/ulid'
import { appError, isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { loadJobsOnly } from '../apply/writer-state.ts'
import { findBase } from '../history/find-base.ts'
import { readHistory } from '../log/log-history.ts'
import { recoverState } from '../rebuild/recover.ts'
import { type VersionedCurrent, withState } from '../version/current.ts'
import { emptyManifest, type Manifest } from '../version/manifest.ts'
import { readCommitted } from '../version/read-manifest.ts'
import { CollectionWriter } from './collection-writer.ts'
import { bindWriter, openCollectionWriter, rebuildCollection } from './open-writer.ts'
import { type BoundWriterDeps, replayDeps, type WriterDeps } from './writer-deps.ts'

/** Largest difference between the clocks of the requester and of the committing process. */
const clockSlackMs = 5_000

/**
 * Returns undefined when the collection is gone. Throws data_corrupt when it is damaged and there
 * is no request for a rebuild. `created`: returns the spec in the catalogue.
 */
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

/** Returns undefined when the manifest, or what it says of jobs, is damaged too. */
async function readWhole({
  store,
  files,
  clock,
  collectionId,
  signal
}: BoundWriterDeps): Promise<Manifest | undefined> {
  const read = async () => {
    const manifest = await readCommitted(store, collectionId)
    if (manifest !== undefined) await loadJobsOnly(files, manifest)
    return manifest
  }
  try {
    return await retryStore(clock, () => asLogged(read), signal)
  } catch (error) {
    if (isAppError(error, 'data_corrupt')) return undefined
    throw error
  }
}

/** Turns a missing log slot into data_corrupt, because its operations are lost. */
async function asLogged<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read()
  } catch (error) {
    throw isAppError(error, 'object_not_found')
      ? appError('data_corrupt', error.message, { cause: error })
      : error
  }
}

/** Returns the revision of the last request for a rebuild that no commit has handled. */
async function lastRequest(
  deps: BoundWriterDeps,
  { settings }: CollectionSpec,
  manifest: Manifest | undefined
): Promise<number | undefined> {
  const { rebuilds } = await readHistory(deps, { settings, base: (await findBase(deps))?.base })
  const newest = manifest === undefined ? await newestManifest(deps) : undefined
  const isOpen = ({ revision, atMs }: (typeof rebuilds)[number]): boolean =>
    manifest === undefined
      ? atMs >= ulidTimeMs(newest!.commitId) - clockSlackMs
      : slotOf(revision) > manifest.appliedSlot
  return rebuilds.findLast(isOpen)?.revision
}

/** Finds the newest manifest by its name, without reading any content. */
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
      // Keys come in the order of seq and epoch.
      for await (const { key } of store.list(keys.manifestPrefix))
        newest = { ...newest, ...parseManifestKey(key), manifest: key }
      return newest
    },
    signal
  )
}

/**
 * Becomes the writer. When CURRENT is unreadable, the next version comes after all existing ones.
 * That version replaces CURRENT only if CURRENT is still the object read here.
 */
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
        current: withState({
          format: 1,
          ...newest,
          epoch: newest.epoch + 1,
          sha256: '',
          writeId: newId()
        }),
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
  const state = await asLogged(() => recoverState(replayDeps(deps, deps.files), created))
  const writer = new CollectionWriter(deps, {
    versionedCurrent,
    manifest: { ...emptyManifest(created, commitId), seq, epoch },
    state
  })
  await writer.step({})
  return writer
}
