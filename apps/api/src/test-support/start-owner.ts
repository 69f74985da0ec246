// The owner of a collection beside a test API: commits what the API logs.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFaissSegmentFiles } from '@likeness/engine/faiss-segment-files'
import { createFileCache } from '@likeness/engine/file-cache'
import { openCollectionWriter } from '@likeness/engine/open-writer'
import { createProjector } from '@likeness/engine/projector'
import { systemClock } from '@likeness/shared/clock'
import { silentLog } from '@likeness/shared/log'
import type { TestApi } from './start-test-api.ts'

/** Returns what stops it. */
export async function startOwner({ store, deps }: TestApi, incarnation: string): Promise<() => Promise<void>> {
  const dir = await mkdtemp(join(tmpdir(), 'likeness-owner-'))
  const files = createFaissSegmentFiles({ store, cache: createFileCache({ store, dir }) })
  const writer = (await openCollectionWriter({ store, clock: systemClock, files, log: silentLog(), incarnation, retentionMs: 0, announce: () => undefined, project: createProjector({ profiles: deps.profiles }) }))!
  let stopped = false
  const running = (async () => {
    while (!stopped) {
      await writer.step({ list: true })
      while (await writer.merge());
      await writer.reproject()
      await writer.collect()
      await systemClock.sleep(5)
    }
  })()
  return async () => {
    stopped = true
    await running
    await rm(dir, { recursive: true, force: true })
  }
}
