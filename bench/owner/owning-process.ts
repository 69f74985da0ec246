// A process that becomes the writer of a collection, and tells how long that took and what it holds.
import { join } from 'node:path'
import { createFaissSegmentFiles, createFileCache, openCollectionWriter } from '@likeness/engine'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { countBytes } from '../count-bytes.ts'
import { timed } from '../measure.ts'

export interface OwnerTask {
  storeDir: string
  cacheDir: string
  collectionId: string
}
export interface Owned {
  openMs: number
  bytesRead: number
  /** Memory that is held after the start, over that of the process before it. */
  heapBytes: number
  bufferBytes: number
  residentBytes: number
}

function held() {
  globalThis.gc!()
  const { heapUsed, external, rss } = process.memoryUsage()
  return { heapBytes: heapUsed, bufferBytes: external, residentBytes: rss }
}

async function own({ storeDir, cacheDir, collectionId }: OwnerTask): Promise<Owned> {
  const { store, bytes } = countBytes(await openDirectoryStore({ root: storeDir }))
  const cache = createFileCache({ store, dir: join(cacheDir, collectionId) })
  const files = createFaissSegmentFiles({ store, cache })
  const logger = silentLogger()
  const before = held()
  let writer: unknown
  const openMs = await timed(async () => {
    const announce = () => undefined
    const deps = { store, clock, files, logger, collectionId, retentionMs: 0, announce }
    writer = await openCollectionWriter(deps)
  })
  await clock.sleep(1_000)
  const after = held()
  if (writer === undefined) throw new Error('the collection is gone')
  return {
    openMs,
    bytesRead: bytes.read,
    heapBytes: after.heapBytes - before.heapBytes,
    bufferBytes: after.bufferBytes - before.bufferBytes,
    residentBytes: after.residentBytes - before.residentBytes
  }
}

process.once('message', (task: OwnerTask) => {
  void own(task).then((owned) => process.send!(owned, () => process.exit(0)))
})
