// What the owner of a collection has to do when a file that it reads is damaged.
import { join } from 'node:path'
import { type CollectionWriter, createFaissSegmentFiles, createFileCache } from '@likeness/engine'
import {
  openCollectionWriter,
  readCommitted,
  readPart,
  readStateLines,
  rebuildCollection
} from '@likeness/engine/testing/internals'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import type { DamagedGallery } from './damaged-gallery.ts'
import { type Judge, mustRefuse } from './must-refuse.ts'
import { createOverlayStore, type OverlayStore } from './overlay-store.ts'

/** Of an owner that may do what it likes to a copy of the store. */
function owning({ gallery: { store, spec }, dir }: DamagedGallery): {
  overlay: OverlayStore
  deps: Parameters<typeof openCollectionWriter>[0]
} {
  const overlay = createOverlayStore(store)
  const files = createFaissSegmentFiles({
    store: overlay,
    cache: createFileCache({ store: overlay, dir: join(dir, 'owner') })
  })
  return {
    overlay,
    deps: {
      store: overlay,
      clock: systemClock,
      files,
      logger: silentLogger(),
      collectionId: spec.collectionId,
      retentionMs: 0,
      announce: () => undefined
    }
  }
}
const opened = async (
  opening: Promise<CollectionWriter | undefined>
): Promise<CollectionWriter> => {
  const writer = await opening
  if (writer === undefined) throw new Error('the collection is gone')
  return writer
}
async function takeAll(writer: CollectionWriter): Promise<void> {
  while ((await writer.step({ list: true })).more);
}

export const ownerRefuses: Judge = async (damaged, key) => {
  const { overlay, deps } = owning(damaged)
  const problem = await mustRefuse(
    'the owner',
    key,
    async () => await takeAll(await opened(openCollectionWriter(deps)))
  )
  if (problem !== undefined) return problem
  return overlay.deleted.has(key) || overlay.written.has(key)
    ? 'the owner has changed it'
    : undefined
}

/** Opening does not read it; merging does. */
export const mergeRefuses: Judge = async (damaged, key) => {
  const writer = await opened(openCollectionWriter(owning(damaged).deps))
  await takeAll(writer)
  const { seq } = writer
  const problem = await mustRefuse('a merge', key, async () => {
    while (await writer.merge());
  })
  if (problem !== undefined) return problem
  await writer.step({ list: true })
  return writer.seq >= seq ? undefined : 'commits do not go on'
}

export const rebuildRefuses: Judge = async (damaged, key) => {
  const { overlay, deps } = owning(damaged)
  // It tells which ingestion's batches are not all there.
  const parts = key.split('/')
  const depth = { batch: 4, arr: 3 }[parts[2]!] ?? parts.length
  const named = parts.slice(0, depth).join('/')
  const problem = await mustRefuse(
    'a rebuild',
    named,
    async () => await opened(rebuildCollection(deps))
  )
  return problem ?? (overlay.deleted.has(key) ? 'a rebuild has removed it' : undefined)
}

export const nothingIsCollected: Judge = async (damaged, key) => {
  const {
    gallery: { versions, spec, storedKeys }
  } = damaged
  const { overlay, deps } = owning(damaged)
  const before = (await storedKeys('')).length
  const collected = await (await opened(openCollectionWriter(deps))).collect()
  if (collected > 0 || overlay.deleted.size > 0)
    return `${collected} of ${before} objects were collected`
  return await mustRefuse('a restore', key, () => versions.findSnapshot(spec.collectionId, 'kept'))
}

/** Takes in what there is. Returns the ordinals of an ingestion that are done. */
async function doneAfter(
  { gallery: { spec } }: DamagedGallery,
  { overlay, deps }: ReturnType<typeof owning>,
  ingestion: string
): Promise<string | undefined> {
  await takeAll(await opened(openCollectionWriter(deps)))
  const { state } = (await readCommitted(overlay, spec.collectionId))!
  const content = await readStateLines(state, (ref) => readPart(overlay, ref))
  return [...content.of('job').values()].find((record) => record.ingestion === ingestion)?.done
}

/** Refused and removed, so that its items are embedded again; nothing of it has any effect. */
export const batchIsRemoved: Judge = async (damaged, key) => {
  const owner = owning(damaged)
  const done = await doneAfter(damaged, owner, damaged.open.ingestion)
  if (!owner.overlay.deleted.has(key)) return 'the owner has not removed it'
  return done === '0-1' ? undefined : `done are ${done}`
}

/** Refused, and removed only where its head is whole; nothing of it has any effect. */
export const sharedBatchWaits: Judge = async (damaged) => {
  const done = await doneAfter(damaged, owning(damaged), damaged.small)
  return done === '' ? undefined : `done are ${done}`
}
