// A collection on a directory store with its single writer.
import { join } from 'node:path'
import {
  createCatalog,
  createFaissSegmentFiles,
  createFileCache,
  openCollectionWriter
} from '@likeness/engine'
import {
  type CollectionDraft,
  collectionSettingsSchema
} from '@likeness/shared/contract/collection'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { createRowAcceptance } from './accept-rows.ts'
import type { Rows } from './rows.ts'

export interface CollectionOptions extends Pick<CollectionDraft, 'method' | 'storage' | 'rescore'> {
  storeDir: string
  /** Folder for the writer's own files. */
  cacheDir: string
  name?: string
  dim: number
  settings?: Record<string, unknown>
}

export async function createWrittenCollection({
  storeDir,
  cacheDir,
  name = 'bench',
  dim,
  settings = {},
  ...form
}: CollectionOptions) {
  const store = await openDirectoryStore({ root: storeDir })
  const clock = systemClock
  const embedding = { version: 'bench@1/none@1', dim, unit: true }
  const spec = await createCatalog({ store, clock }).create({
    name,
    metric: 'IP',
    embedding,
    settings: collectionSettingsSchema.parse(settings),
    ...form
  })
  const { accept, acceptDeletion } = createRowAcceptance({ store, spec })
  const files = createFaissSegmentFiles({
    store,
    cache: createFileCache({ store, dir: join(cacheDir, spec.collectionId) })
  })
  const writer = await openCollectionWriter({
    store,
    clock,
    files,
    logger: silentLogger(),
    collectionId: spec.collectionId,
    retentionMs: 0,
    announce: () => undefined
  })
  if (writer === undefined) throw new Error('the collection is gone')

  async function applyAll(): Promise<void> {
    while ((await writer!.step({})).more);
  }

  return {
    spec,
    /** Accepts and commits rows. Then every reader of CURRENT can search them. */
    async insert(rows: Rows): Promise<void> {
      await accept(rows)
      await applyAll()
    },
    async remove(rows: readonly number[]): Promise<void> {
      await acceptDeletion(rows)
      await applyAll()
    },
    async mergeAll(): Promise<void> {
      while (await writer.merge());
    },
    collect: () => writer.collect(),
    close: () => store.close()
  }
}
