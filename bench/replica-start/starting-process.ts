// A process that starts a replica, loads what was used last, searches once, and waits to be killed.
import { createReplica } from '@likeness/engine'
import type { ListedCollection } from '@likeness/engine/contract'
import { systemClock as clock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { countRequests } from '@likeness/store/counted-store'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { countBytes } from '../count-bytes.ts'
import { timed } from '../measure.ts'

export interface StartTask {
  storeDir: string
  cacheDir: string
  listed: ListedCollection[]
  query: Float32Array
}
export interface Started {
  /** Time until what was used last is loaded. Without files that is nothing. */
  readyMs: number
  firstSearchMs: number
  /** Processor time of both. */
  processorMs: number
  bytesRead: number
  requests: number
  ids: string[]
}

const k = 10
/** The time of the search is marked on the disk without waiting for it. */
const markMs = 200

async function start({ storeDir, cacheDir, listed, query }: StartTask): Promise<Started> {
  const { store: counted, requests } = countRequests(await openDirectoryStore({ root: storeDir }))
  const { store, bytes } = countBytes(counted)
  const before = process.cpuUsage()
  const replica = createReplica({ store, clock, logger: silentLogger(), cacheDir, pollMs: 60_000 })
  const readyMs = await timed(() => replica.warm(listed))
  let ids: string[] = []
  const firstSearchMs = await timed(async () => {
    const reader = await replica.acquire(listed[0]!.collectionId, {
      consistency: 'strong',
      timeoutMs: 600_000
    })
    ids = (await reader.search({ vectors: query, k }))[0]!.map(({ item }) => item.id)
    reader.release()
  })
  const { user, system } = process.cpuUsage(before)
  const { get, list } = requests
  const processorMs = (user + system) / 1000
  return { readyMs, firstSearchMs, processorMs, bytesRead: bytes.read, requests: get + list, ids }
}

process.once('message', (task: StartTask) => {
  void start(task).then(async (started) => {
    await clock.sleep(markMs)
    process.send!(started)
  })
})
