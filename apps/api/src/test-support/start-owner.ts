// The writer of a collection beside a test API: commits the operations that the API logs.
import {
  createFaissSegmentFiles,
  createFileCache,
  createProjector,
  openCollectionWriter,
  type WriterDeps
} from '@likeness/engine/testing/internals'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { TestApi } from './start-test-api.ts'

/** Returns a function that stops the writer. `foldShape`: when a fold is due. */
export async function startOwner(
  { store, deps }: TestApi,
  collectionId: string,
  { foldShape }: Pick<WriterDeps, 'foldShape'> = {}
): Promise<() => Promise<void>> {
  const dir = temporaryFolder('owner')
  const files = createFaissSegmentFiles({ store, cache: createFileCache({ store, dir }) })
  const writer = (await openCollectionWriter({
    store,
    clock: systemClock,
    files,
    logger: silentLogger(),
    collectionId,
    retentionMs: 0,
    foldShape,
    announce: () => undefined,
    project: createProjector({ profiles: deps.profiles })
  }))!
  let stopped = false
  const running = (async () => {
    while (!stopped) {
      await writer.step({ list: true })
      while (await writer.merge());
      await writer.reindex()
      await writer.fold()
      while (await writer.collectFolded());
      await writer.collect()
      await systemClock.sleep(5)
    }
  })()
  return async () => {
    stopped = true
    await running
  }
}
