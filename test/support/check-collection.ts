// Compares the whole content of a collection over HTTP with the expected content. An item may not
// be lost, doubled, stale or visible after its deletion.
import { expect } from 'vitest'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { LiveApi } from './live-api.ts'

export interface Expected {
  label: string
  /** Picture of the item. A search by this picture must find the item. */
  picture?: Uint8Array
}
/** Every id that was ever sent, with the final state. */
export type Oracle = Map<string, Expected | 'deleted'>

const freshWithinMs = 60_000
const picturesSearched = 6

/** Checks a collection whose items have one row each (see `plainSettings`). */
export async function checkCollection(
  api: LiveApi,
  collection: string,
  oracle: Oracle
): Promise<CollectionAnswer> {
  const live = new Map(
    [...oracle].filter((entry): entry is [string, Expected] => entry[1] !== 'deleted')
  )
  const description = await checkCounts(api, collection, live.size)
  await checkItems(api, collection, oracle)
  await checkAllFound(api, collection, { live, dim: description.embedding.dim })
  await checkPictures(api, collection, live)
  return description
}

async function checkCounts(
  api: LiveApi,
  collection: string,
  items: number
): Promise<CollectionAnswer> {
  // The description may be late by two polls of the replica.
  await expect
    .poll(async () => (await api.describe(collection)).items, {
      timeout: freshWithinMs,
      interval: 200
    })
    .toBe(items)
  const description = await api.describe(collection)
  const alive = description.segments.reduce((sum, { rows, deleted }) => sum + rows - deleted, 0)
  expect({ items: description.items, rows: description.rows, alive }).toEqual({
    items,
    rows: items,
    alive: items
  })
  return description
}

async function checkItems(api: LiveApi, collection: string, oracle: Oracle): Promise<void> {
  const wrong: string[] = []
  for (const [id, expected] of oracle) {
    const { status, body } = await api.askItem(collection, id, '?consistency=strong')
    const found = body as { label?: string; code?: string; rows?: unknown[] }
    const right =
      expected === 'deleted'
        ? status === 404 && found.code === 'item_not_found'
        : status === 200 && found.label === expected.label && found.rows?.length === 1
    if (!right)
      wrong.push(
        `${id}: expected ${expected === 'deleted' ? 'deleted' : expected.label}, got ${status} ${found.label ?? found.code}`
      )
  }
  expect(wrong).toEqual([])
}

/** A search with a large k returns every item once, and only these items. */
async function checkAllFound(
  api: LiveApi,
  collection: string,
  { live, dim }: { live: Map<string, Expected>; dim: number }
): Promise<void> {
  const vector = Array.from({ length: dim }, (_, i) => Math.sin(i + 1))
  const { hits } = await api.search(collection, {
    vector,
    k: live.size + 20,
    consistency: 'strong'
  })
  expect(hits.map(({ id, label }) => `${id} = ${label}`).sort()).toEqual(
    [...live].map(([id, { label }]) => `${id} = ${label}`).sort()
  )
}

async function checkPictures(
  api: LiveApi,
  collection: string,
  live: Map<string, Expected>
): Promise<void> {
  const withPicture = [...live].flatMap(([id, { label, picture }]) =>
    picture === undefined ? [] : [{ id, label, picture }]
  )
  const stride = Math.max(1, Math.floor(withPicture.length / picturesSearched))
  for (let at = 0; at < withPicture.length; at += stride) {
    const { id, label, picture } = withPicture[at]!
    const { hits } = await api.searchPicture(collection, picture, { k: '1', consistency: 'strong' })
    expect(hits[0]).toMatchObject({ id, label })
    expect(hits[0]!.score).toBeCloseTo(1, 3)
  }
}
