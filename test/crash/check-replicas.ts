// Reads everything back from every replica: a full scroll with vectors, the revisions of changed
// items, and searches of items by their own vectors.
import { createInterface } from 'node:readline'
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import { decodeVector } from '@likeness/shared/contract/embedder'
import type { VectorLine } from '@likeness/shared/contract/http/vectors'
import type { Random } from '../simulation/random.ts'
import type { LiveApi } from '../support/live-api.ts'
import { type ExpectedVectors, hashVector } from './expected-vectors.ts'
import { compare, type FoundItem, type Oracle, report, type Tally, type Version } from './oracle.ts'

export interface CheckDeps {
  apis: readonly LiveApi[]
  collection: string
  oracle: Oracle
  vectors: ExpectedVectors
  random: Random
  /** Number of searched items on each replica, and of items whose revision is read. */
  samples: number
}

async function scroll(url: string, collection: string): Promise<FoundItem[]> {
  const response = await fetch(`${url}/v1/collections/${collection}/vectors?consistency=strong`)
  if (!response.ok || response.body === null)
    throw new Error(`scroll of ${url}: ${response.status} ${await response.text()}`)
  const found: FoundItem[] = []
  for await (const text of createInterface({
    input: Readable.fromWeb(response.body as ReadableStream)
  })) {
    const { id, label, rows, vectors } = JSON.parse(text) as VectorLine & { vectors: string }
    found.push({
      id,
      label: label ?? null,
      rows: rows?.length ?? 1,
      vectorHash: hashVector(decodeVector(vectors))
    })
  }
  return found
}

function sampleOf<T>(items: readonly T[], { random, samples }: CheckDeps): T[] {
  return Array.from({ length: Math.min(samples, items.length) }, () => random.pick(items))
}

async function checkItem(
  deps: CheckDeps,
  tally: Tally,
  api: LiveApi,
  [id, { revision, isDeleted }]: [string, Version]
): Promise<void> {
  const { status, body } = await api.askItem(deps.collection, id, '?consistency=strong')
  const found = (body as { revision?: number }).revision
  if (isDeleted && status !== 404)
    report(
      tally,
      'resurrected',
      `${api.url} answers ${status} for ${id}, deleted at revision ${revision}`
    )
  else if (!isDeleted && found !== revision)
    report(
      tally,
      'lost',
      `${api.url} answers ${status}, revision ${found}, for ${id} of revision ${revision}`
    )
}

/**
 * Searches an item by the item's vector. The item must be found, and no deleted item may be found.
 */
async function checkSearch(
  deps: CheckDeps,
  tally: Tally,
  api: LiveApi,
  [id, { seed, isDeleted }]: [string, Version]
): Promise<void> {
  const { hits } = await api.search(deps.collection, {
    vector: [...deps.vectors.vectorOf(seed)],
    k: 3,
    consistency: 'strong'
  })
  const hit = hits.find((one) => one.id === id)
  if (isDeleted && hit !== undefined)
    report(tally, 'resurrected', `${api.url} finds ${id}, which was deleted`)
  else if (!isDeleted && (hit === undefined || hit.score < 0.9999))
    report(
      tally,
      'lost',
      `${api.url} does not find ${id} by its vector: ${JSON.stringify(hits.map((one) => [one.id, one.score]))}`
    )
}

export async function checkReplicas(deps: CheckDeps, tally: Tally): Promise<void> {
  const { apis, collection, oracle, vectors } = deps
  const changed = [...oracle.versions].filter(
    ([, { seed, isDeleted }]) => isDeleted || seed >= 1_000_000
  )
  for (const api of apis) {
    compare(tally, oracle, await scroll(api.url, collection), (seed) => vectors.hashOf(seed))
    for (const one of sampleOf([...oracle.versions], deps)) await checkItem(deps, tally, api, one)
    for (const one of sampleOf(changed, deps)) await checkItem(deps, tally, api, one)
    for (const one of sampleOf(oracle.live, deps)) await checkSearch(deps, tally, api, one)
    for (const one of sampleOf(
      changed.filter(([, { isDeleted }]) => isDeleted),
      deps
    ))
      await checkSearch(deps, tally, api, one)
    const { items, rows, open_jobs: open } = await api.describe(collection)
    const live = oracle.live.length
    if (items !== live || rows !== live || open !== 0)
      report(
        tally,
        items > live ? 'duplicated' : 'lost',
        `${api.url} counts ${items} items, ${rows} rows and ${open} open jobs, ${live} are expected`
      )
  }
}
