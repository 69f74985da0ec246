// Tests the change to another profile for a collection in use, with real processes. Searches run
// all the time, items are added and deleted, and SIGKILL ends the process that computes the
// vectors.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { CollectionAnswer } from '@likeness/shared/contract/http/collections'
import type { SearchAnswer } from '@likeness/shared/contract/http/search'
import type { StoredProfile } from '@likeness/shared/contract/profile'
import { seededRandom } from '@likeness/shared/data/random'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { listOf, type LiveStack, plainSettings, startLiveStack } from '../../support/live-stack.ts'
import { pictureOf } from '../../support/pictures.ts'

const name = 'marks'
const count = 1_200
/** Items that do not change. A search by such an item must find the item at any time. */
const kept = Array.from({ length: 12 }, (_, i) => i * 100)
/**
 * Least score of an equal item with f16 raw vectors. Vectors of two projections are far from each
 * other.
 */
const leastScore = 0.995
const longMs = 280_000
let live: LiveStack

beforeAll(async () => {
  live = await startLiveStack({ replicas: { api: 2, 'index-worker': 2 } })
})
afterAll(() => live?.stop())

/**
 * Stores a projection of random directions. The quality does not matter: the test only checks that
 * all vectors come from the projection.
 */
async function storeProfile(
  profile: string,
  { seed, dim }: { seed: number; dim: number }
): Promise<StoredProfile> {
  const manifest = JSON.parse(await readFile(join(live.dir, 'model/manifest.json'), 'utf8')) as {
    name: string
    version: string
    sha256: string
    raw: { dim: number }
  }
  const {
    raw: { dim: rawDim },
    sha256: modelSha256
  } = manifest
  const random = seededRandom(seed)
  const projection = new Uint8Array(
    Float32Array.from({ length: dim * (rawDim + 1) }, (_, i) =>
      i < dim * rawDim ? random() - 0.5 : 0
    ).buffer
  )
  const learned = {
    from: 'a folder',
    by: 'views',
    judged_by: 'views',
    pictures: 120,
    held_out: 30,
    before: 'none',
    r1_raw: 0,
    r1_before: 0,
    r1_after: 0
  }
  const body = new FormData()
  body.set(
    'profile',
    JSON.stringify({
      model: `${manifest.name}@${manifest.version}`,
      model_sha256: modelSha256,
      raw_dim: rawDim,
      dim,
      sha256: sha256Hex(projection),
      learned
    })
  )
  body.set('projection', new Blob([projection]), 'projection')
  return (await live.api.ask(`/v1/profiles/${profile}`, { method: 'PUT', body }))
    .body as StoredProfile
}

const idOf = (seed: number): string => `${name}/${seed}`
const isRunning = ({ reprojection }: CollectionAnswer): boolean => reprojection?.state === 'running'

/** Searches without a pause until it is stopped. Returns the errors of all answers. */
function startSearching() {
  const wrong: string[] = []
  let answers = 0
  let over = false
  async function search(n: number): Promise<void> {
    for (let asked = n; !over; asked++) {
      const seed = kept[asked % kept.length]!
      const form = new FormData()
      form.append('k', '3')
      form.append('image', new Blob([new Uint8Array(await pictureOf(seed))]), 'query')
      const byItem = asked % 3 === 0
      const { status, body } = await live.apis[asked % live.apis.length]!.ask(
        `/v1/collections/${name}/search`,
        { body: byItem ? { item_id: idOf(seed), k: 3 } : form }
      )
      const { hits = [] } = body as Partial<SearchAnswer>
      const isRight =
        status === 200 &&
        hits.length === 3 &&
        (byItem || (hits[0]!.id === idOf(seed) && hits[0]!.score > leastScore))
      if (!isRight)
        wrong.push(
          `${byItem ? 'item' : 'picture'} ${seed}: ${status} ${JSON.stringify(body).slice(0, 300)}`
        )
      answers++
    }
  }
  const clients = [0, 1, 2].map(search)
  return {
    async end(): Promise<{ answers: number; wrong: string[] }> {
      over = true
      await Promise.all(clients)
      return { answers, wrong }
    }
  }
}

/**
 * Adds, replaces and deletes items until it is stopped. Each operation waits for the
 * acknowledgement of the former.
 */
function startChanging(oracle: Oracle, firstSeed: number) {
  let over = false
  let acknowledged = 0
  const jobs: string[] = []
  const changing = (async () => {
    for (let round = 0; !over; round++) {
      const seed = firstSeed + round
      // Each item gets its own picture: two items with the same picture are found in any order.
      const [picture, other] = await Promise.all([pictureOf(seed), pictureOf(seed + 100_000)])
      const replaced = idOf(1 + ((seed * 7) % 97) + 100 * (seed % 12))
      jobs.push(
        (
          await live.api.upload(name, [
            { id: idOf(seed), label: `added ${seed}`, bytes: picture },
            { id: replaced, label: `replaced ${seed}`, bytes: other }
          ])
        ).job
      )
      oracle
        .set(idOf(seed), { label: `added ${seed}`, picture })
        .set(replaced, { label: `replaced ${seed}`, picture: other })
      const removed =
        round % 3 === 0 ? idOf(seed) : idOf(1 + ((seed * 13) % 97) + 100 * (seed % 12))
      await live.api.remove(name, removed)
      oracle.set(removed, 'deleted')
      acknowledged += 3
    }
  })()
  return {
    async end(): Promise<number> {
      over = true
      await changing
      for (const job of jobs) await live.api.finished(job)
      return acknowledged
    }
  }
}

async function untilChanged(revision: number): Promise<CollectionAnswer> {
  for (const untilMs = Date.now() + longMs; Date.now() < untilMs; await pause(100)) {
    const now = await live.api.describe(name)
    if (now.reprojection!.revision >= revision && !isRunning(now)) return now
  }
  throw new Error('the profile is not applied')
}

const apply = (profile: string) =>
  live.api.ask(`/v1/collections/${name}/profile`, { body: { profile } })

test(
  'a profile is applied while clients search, add and delete, and the process that applies it is killed',
  async () => {
    const oracle: Oracle = new Map()
    const entries = await live.storeGallery(name, { first: 0, count })
    const created = await live.api.create(name, { settings: plainSettings })
    const { job } = await live.api.importList(name, { root: live.root, list: listOf(entries) })
    for (const [seed, { path, label }] of entries.entries())
      oracle.set(path, { label, picture: await pictureOf(seed) })
    await live.api.finished(job)
    const [wide, narrow] = [
      await storeProfile('wide', { seed: 1, dim: 48 }),
      await storeProfile('narrow', { seed: 2, dim: 24 })
    ]

    const searching = startSearching()
    const changing = startChanging(oracle, 50_000)
    let changed = 0
    let searched: { answers: number; wrong: string[] }
    try {
      const first = await apply('wide')
      const { revision, embedding } = first.body as {
        revision: number
        embedding: { version: string }
      }
      expect([200, 202]).toContain(first.status)
      expect((await untilChanged(revision)).embedding).toEqual(embedding)
      // Set when the kill came while the vectors were computed.
      let isMet = false
      for (const profile of [narrow, wide, narrow, wide, narrow]) {
        const answered = apply(`${profile.name}@${profile.version}`)
        for (
          const untilMs = Date.now() + 5_000;
          Date.now() < untilMs && !isRunning(await live.api.describe(name));
        );
        const owner = (await live.ownerOf(created.incarnation))!
        await live.killAndRevive(owner)
        isMet = isRunning(await live.api.describe(name))
        const again = (await answered).body as { revision: number }
        expect(await untilChanged(again.revision)).toMatchObject({
          embedding: { dim: profile.dim },
          reprojection: { state: 'applied' }
        })
        if (isMet) break
      }
      expect(isMet).toBe(true)
    } finally {
      changed = await changing.end()
      searched = await searching.end()
    }
    console.log(
      `${searched.answers} searches, ${searched.wrong.length} wrong; ${changed} acknowledged changes of items meanwhile`
    )
    expect(searched.wrong).toEqual([])
    expect(searched.answers).toBeGreaterThan(100)
    expect(changed).toBeGreaterThan(10)
    const end = await checkCollection(live.api, name, oracle)
    expect(end.embedding.version).toMatch(/^tiny@1\.0\.0\/(wide|narrow)@/)
    // New items and a rebuild also use the new profile.
    const picture = await pictureOf(90_000)
    await live.api.finished(
      (await live.api.upload(name, [{ id: 'last', label: 'last', bytes: picture }])).job
    )
    oracle.set('last', { label: 'last', picture })
    const rebuilt = await live.api.ask(`/v1/collections/${name}/rebuild`, { method: 'POST' })
    expect([rebuilt.status, (await checkCollection(live.api, name, oracle)).embedding]).toEqual([
      200,
      end.embedding
    ])
    const report = (await (await fetch(`${live.api.url}/v1/collections/${name}/verify`)).text())
      .trim()
      .split('\n')
      .at(-1)!
    expect((JSON.parse(report) as { problems: unknown[] }).problems).toEqual([])
  },
  2 * longMs
)
