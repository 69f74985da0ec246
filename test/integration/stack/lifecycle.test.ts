// Tests whole collections with real processes: one snapshot in two collections, and a collection
// that is damaged on the disk.
import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { type LiveStack, plainSettings, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack()
})
afterAll(() => live?.stop())

/** Creates a collection with uploaded pictures. Returns its content. */
async function fill(name: string, seed: number): Promise<{ collectionId: string; oracle: Oracle }> {
  const { api } = live
  const { incarnation: collectionId } = await api.create(name, { settings: plainSettings })
  const oracle: Oracle = new Map()
  for (let n = 0; n < 5; n++)
    oracle.set(`item ${n}`, { label: `label ${n}`, picture: await pictureOf(seed + n) })
  const files = [...oracle].map(([id, item]) => ({
    id,
    label: (item as { label: string }).label,
    bytes: (item as { picture: Uint8Array }).picture
  }))
  await api.finished((await api.upload(name, files)).job)
  const answered = await api.ask(`/v1/collections/${name}/items/item%203`, {
    method: 'PATCH',
    body: { label: 'relabelled' }
  })
  expect(answered).toMatchObject({ status: 200, body: { relabelled: true } })
  oracle.set('item 3', { label: 'relabelled', picture: await pictureOf(seed + 3) })
  await api.remove(name, 'item 4')
  oracle.set('item 4', 'deleted')
  return { collectionId, oracle }
}

test('a snapshot becomes a collection of its own, takes over the alias, and outlives what it comes from with its pictures', async () => {
  const { api } = live
  const { oracle } = await fill('source', 100)
  await api.ask('/v1/aliases/live', {
    method: 'PUT',
    body: { collection: 'source', expected: null }
  })
  await api.ask('/v1/collections/source/snapshots', { body: { name: 'kept' } })
  await api.remove('source', 'item 0')
  const restored = await api.ask('/v1/collections/source/snapshots/kept/restore', {
    body: { into: 'copy' }
  })
  expect(restored).toMatchObject({ status: 202, body: { name: 'copy', total: 4 } })
  await api.finished((restored.body as { job: string }).job)
  expect(await api.ask('/v1/collections/source', { method: 'DELETE' })).toMatchObject({
    status: 409,
    body: { code: 'collection_has_aliases' }
  })
  expect(
    await api.ask('/v1/aliases/live', {
      method: 'PUT',
      body: { collection: 'copy', expected: 'source' }
    })
  ).toMatchObject({ status: 200 })
  const { incarnation: collectionId } = await api.drop('source')
  // All objects of the collection are deleted, pictures too.
  await expect.poll(() => filesUnder(collectionId, 'img')).toEqual([])
  for (const name of ['copy', 'live']) await checkCollection(api, name, oracle)
  expect((await api.ask('/v1/collections/live/items/item%200/image')).status).toBe(200)
})

const folderOf = (collectionId: string, kind: string): string =>
  join(live.dir, 'data/objects/objects/c~', `${collectionId}~`, `${kind}~`)
const filesUnder = async (collectionId: string, kind: string): Promise<string[]> =>
  (await readdir(folderOf(collectionId, kind)).catch(() => [])).sort()

async function damage(
  collectionId: string,
  kind: string,
  matches: (name: string) => boolean
): Promise<void> {
  const names = (await filesUnder(collectionId, kind)).filter(matches)
  expect(names.length).toBeGreaterThan(0)
  for (const name of names) {
    const path = join(folderOf(collectionId, kind), name)
    const body = await readFile(path)
    body[body.length >> 1]! ^= 1
    await writeFile(path, body)
  }
}

test('a collection whose segments and manifests are damaged on the disk is made again when that is asked for', async () => {
  const { api } = live
  const { collectionId, oracle } = await fill('damaged', 200)
  await damage(collectionId, 'seg', (name) => name.endsWith('.meta'))
  await damage(collectionId, 'man', () => true)
  await live.killAndRevive('index-worker')
  const isSaid = async () =>
    (await readFile(join(live.dir, 'data/logs/index-worker.log'), 'utf8'))
      .split('\n')
      .some((line) => line.includes(collectionId) && line.includes('stands still'))
  await expect.poll(isSaid).toBe(true)
  const asked = await api.ask('/v1/collections/damaged/rebuild', { method: 'POST' })
  expect([200, 202]).toContain(asked.status)
  await expect
    .poll(
      async () =>
        (await api.ask('/v1/collections/damaged/items/item%200?consistency=strong')).status,
      { interval: 200 }
    )
    .toBe(200)
  await checkCollection(api, 'damaged', oracle)
  const { job } = await api.upload('damaged', [
    { id: 'later', label: 'later', bytes: await pictureOf(299) }
  ])
  await api.finished(job)
  await checkCollection(api, 'damaged', oracle.set('later', { label: 'later' }))
  console.log(`asked for a rebuild, answered ${asked.status} ${JSON.stringify(asked.body)}`)
})
