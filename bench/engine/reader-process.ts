// The second process: opens the writer's files, searches query after query, and reports when a row
// is visible.
import { join } from 'node:path'
import { createReplica } from '@likeness/engine'
import { systemClock } from '@likeness/shared/process/clock'
import { silentLogger } from '@likeness/shared/process/logger'
import { openDirectoryStore } from '@likeness/store/directory-store'
import { loadLance, tableName } from './lancedb.ts'
import { rowOf } from './rows.ts'
import type { Effort, ReaderOptions } from './side.ts'

export type Ask =
  | { ask: 'open'; reader: ReaderOptions; dim: number }
  /** Looks for the newest version, once. */
  | { ask: 'refresh' }
  | { ask: 'search'; queries: Float32Array; k: number; effort: Effort }
  /** Waits until the row is the best hit of its own vector. */
  | { ask: 'see'; vector: Float32Array; row: number; effort: Effort }

export interface Answers {
  rows?: Int32Array
  ms?: number[]
  seenAtNs?: bigint
  rssBytes?: number
  failure?: string
}

interface Reader {
  refresh(): Promise<void>
  /** Rows, best first. `strong`: all earlier commits are included. */
  search(vector: Float32Array, k: number, effort: Effort, strong?: boolean): Promise<number[]>
}

async function openOurs({
  dir,
  collectionId
}: Extract<ReaderOptions, { side: 'ours' }>): Promise<Reader> {
  const store = await openDirectoryStore({ root: join(dir, 'store') })
  const replica = createReplica({
    store,
    clock: systemClock,
    logger: silentLogger(),
    cacheDir: join(dir, 'replica'),
    pollMs: 1_000
  })
  const acquire = (consistency: 'strong' | 'eventual') =>
    replica.acquire(collectionId, { consistency, timeoutMs: 600_000 })
  return {
    async refresh() {
      const reader = await acquire('strong')
      reader.release()
    },
    async search(vector, k, effort, strong = false) {
      const reader = await acquire(strong ? 'strong' : 'eventual')
      try {
        const hits = (
          await reader.search({ vectors: vector, k, searchBudget: effort.search_budget })
        )[0]!
        return hits.map(({ item }) => rowOf(item.id))
      } finally {
        reader.release()
      }
    }
  }
}

async function openLance({ dir }: Extract<ReaderOptions, { side: 'lancedb' }>): Promise<Reader> {
  const lance = loadLance()
  const table = await (await lance.connect(dir)).openTable(tableName)
  const strongTable = await (await lance.connect(dir, { readConsistencyInterval: 0 })).openTable(
    tableName
  )
  return {
    refresh: () => table.checkoutLatest(),
    async search(vector, k, { ef, nprobes, refine = 1 }, strong = false) {
      let query = (strong ? strongTable : table)
        .vectorSearch(vector)
        .distanceType('dot')
        .select(['id', 'label', '_distance'])
        .limit(k)
      if (ef !== undefined) query = query.ef(ef)
      if (nprobes !== undefined) query = query.nprobes(nprobes)
      if (refine > 1) query = query.refineFactor(refine)
      return (await query.toArray()).map(({ id }) => rowOf(id))
    }
  }
}

let reader: Reader
let dim = 0

async function searchAll({
  queries,
  k,
  effort
}: Extract<Ask, { ask: 'search' }>): Promise<Answers> {
  const count = queries.length / dim
  const rows = new Int32Array(count * k).fill(-1)
  const ms: number[] = []
  for (let q = 0; q < count; q++) {
    const startedMs = performance.now()
    const found = await reader.search(queries.subarray(q * dim, (q + 1) * dim), k, effort)
    ms.push(performance.now() - startedMs)
    rows.set(found, q * k)
  }
  return { rows, ms, rssBytes: process.memoryUsage().rss }
}

async function answer(ask: Ask): Promise<Answers> {
  if (ask.ask === 'open') {
    dim = ask.dim
    reader = ask.reader.side === 'ours' ? await openOurs(ask.reader) : await openLance(ask.reader)
    return {}
  }
  if (ask.ask === 'refresh') await reader.refresh()
  if (ask.ask === 'search') return await searchAll(ask)
  if (ask.ask === 'see') {
    while ((await reader.search(ask.vector, 1, ask.effort, true))[0] !== ask.row);
    return { seenAtNs: process.hrtime.bigint() }
  }
  return {}
}

process.on('message', (ask: Ask) => {
  answer(ask).then(
    (said) => process.send!(said),
    (error: unknown) => process.send!({ failure: String(error) })
  )
})
process.on('disconnect', () => process.exit())
