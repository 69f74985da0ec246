// Work during the kills: imports, and clients that replace, add again and delete items. The oracle
// learns each operation after the acknowledgement.
import { setTimeout as pause } from 'node:timers/promises'
import { createRandom } from '../simulation/random.ts'
import { createLiveApi, type LiveApi } from '../support/live-api.ts'
import { listOf, type LiveStack } from '../support/live-stack.ts'
import type { ExpectedVectors } from './expected-vectors.ts'
import type { Oracle } from './oracle.ts'

export interface WorkloadDeps {
  live: LiveStack
  collection: string
  oracle: Oracle
  vectors: ExpectedVectors
  seed: number
}
export interface Batch {
  first: number
  count: number
}
export interface AcceptedJob {
  id: string
  total: number
  acknowledgedAtMs: number
}
export type Workload = ReturnType<typeof createWorkload>

/** Duration of an import with the changes beside it, about. */
export const roundMs = 2_500
/** Prefix for the ids of imported items. */
export const idPrefix = 'g/'
const clients = 3
const idsPerRequest = 5
/** Share of changed items that come from the running import. */
const freshShare = 0.7
const changedShare = 0.1
const recentJobs = 40
/** First seed of pictures that are not in an import. */
const laterSeeds = 10_000_000

const idOf = (n: number): string => `${idPrefix}${n}`

export function createWorkload({ live, collection, oracle, vectors, seed }: WorkloadDeps) {
  const random = createRandom(seed)
  const urls = live.stack.apiUrls
  /**
   * Each client begins with another api process, and uses the next process when the current process
   * does not answer.
   */
  const apis = Array.from({ length: clients }, (_, i) =>
    createLiveApi(
      urls[i % urls.length]!,
      urls.filter((_, at) => at !== i % urls.length)
    )
  )
  const jobs: AcceptedJob[] = []
  let imported = 0
  let nextSeed = laterSeeds

  const accepted = (id: string, total: number): void =>
    void jobs.push({ id, total, acknowledgedAtMs: Date.now() })

  async function importBatch({ first, count }: Batch): Promise<string> {
    const entries = Array.from({ length: count }, (_, i) => ({
      path: idOf(first + i),
      label: String(first + i)
    }))
    const { floor } = oracle
    const { job, revision } = await apis[0]!.importList(collection, {
      root: live.root,
      list: listOf(entries)
    })
    for (let n = first; n < first + count; n++)
      oracle.acknowledged(idOf(n), { seed: n, revision, isDeleted: false }, floor)
    accepted(job, count)
    imported = Math.max(imported, first + count)
    return job
  }

  /**
   * Each id belongs to one client forever, so that the operations of an id are sent one after the
   * other.
   */
  function pickIds(client: number, { first, count }: Batch, wanted: number): string[] {
    const ids = new Set<string>()
    for (let tries = 0; ids.size < wanted && tries < 50 * wanted; tries++) {
      const n = random.chance(freshShare) ? first + random.below(count) : random.below(imported)
      if (n % clients === client) ids.add(idOf(n))
    }
    return [...ids]
  }

  async function upload(api: LiveApi, ids: readonly string[]): Promise<string> {
    const seeds = ids.map(() => nextSeed++)
    const files = await Promise.all(
      ids.map(async (id, i) => ({
        id,
        label: String(seeds[i]),
        bytes: await vectors.draw(seeds[i]!)
      }))
    )
    const { floor } = oracle
    const { job, revision } = await api.upload(collection, files)
    ids.forEach((id, i) =>
      oracle.acknowledged(id, { seed: seeds[i]!, revision, isDeleted: false }, floor)
    )
    accepted(job, ids.length)
    return job
  }

  async function remove(api: LiveApi, ids: readonly string[]): Promise<void> {
    const { floor } = oracle
    const { revision } =
      ids.length === 1
        ? await api.remove(collection, ids[0]!)
        : await api.removeAll(collection, ids)
    for (const id of ids)
      oracle.acknowledged(
        id,
        { seed: oracle.versions.get(id)!.seed, revision, isDeleted: true },
        floor
      )
  }

  async function runClient(client: number, batch: Batch): Promise<void> {
    const api = apis[client]!
    let left = Math.ceil((changedShare * batch.count) / clients)
    const pauseMs = roundMs / Math.ceil(left / idsPerRequest)
    while (left > 0) {
      const wanted = Math.min(left, random.chance(0.2) ? 1 : idsPerRequest)
      const ids = pickIds(client, batch, 2 * wanted)
      const half = Math.ceil(ids.length / 2)
      if (half > 0) await upload(api, ids.slice(0, half))
      if (half < ids.length) await remove(api, ids.slice(half))
      left -= wanted
      if (left > 0) await pause(random.between(0, pauseMs))
    }
  }

  return {
    jobs: jobs as readonly AcceptedJob[],
    /** Jobs of the last rounds. */
    recentJobs: (): readonly AcceptedJob[] => jobs.slice(-recentJobs),
    /** Draws the pictures of an import. */
    async prepare({ first, count }: Batch): Promise<void> {
      for (let n = first; n < first + count; n++) await live.store(idOf(n), await vectors.draw(n))
    },
    importBatch,
    /**
     * Sends upserts and deletes, each for a tenth of a batch. Resolves when all are acknowledged.
     */
    async change(batch: Batch): Promise<void> {
      await Promise.all(apis.map((_, client) => runClient(client, batch)))
    },
    /** Sends one upload of one new item from a new client. Resolves when the item is indexed. */
    async probe(name: string): Promise<void> {
      const api = createLiveApi(urls[0]!, urls.slice(1))
      await api.finished(await upload(api, [`probe/${name}`]))
    },
    /** Returns an api process that a client waits for. */
    busyApi: (): string | undefined =>
      apis.map((api) => api.asking()).find((url) => url !== undefined)
  }
}
