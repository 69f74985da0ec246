// Creations, drops and aliases of several processes at once, step by step in random orders, with
// processes that die between two steps. Afterwards no alias may lead nowhere, a dropped collection may
// not be live, and a collection that was answered must be there.
import { expect, test } from 'vitest'
import { catalogNameKey } from '@likeness/shared/contract/keys'
import { isAppError } from '@likeness/shared/errors'
import { createMemoryStore } from '@likeness/store/memory-store'
import type { Catalog } from '../catalog-contract.ts'
import { randomOf, Steps } from '../testing/steps.ts'
import { createCatalog } from './catalog.ts'

const draft = (name: string) => ({
  name,
  embedding: { version: 'v', dim: 2, unit: false },
  metric: 'L2' as const,
  method: 'FLAT' as const,
  settings: { seal_threshold: 8, view_sizes: [], subjects: false }
})

type Act = (catalog: Catalog) => Promise<unknown>
const acts: Act[] = [
  (catalog) => catalog.create(draft('one')),
  (catalog) => catalog.create(draft('two')),
  (catalog) => catalog.drop('one'),
  (catalog) => catalog.drop('one'),
  (catalog) => catalog.drop('two'),
  (catalog) => catalog.setAlias('live', 'one'),
  (catalog) => catalog.setAlias('live', 'one'),
  (catalog) => catalog.setAlias('live', 'two'),
  (catalog) => catalog.setAlias('live', 'two', { expected: 'one' }),
  (catalog) => catalog.removeAlias('live'),
  (catalog) =>
    catalog.setListed({ ...draft('one'), settings: { pinned: true }, collectionId: 'none' })
]

async function play(seed: number, mayDie: boolean): Promise<void> {
  const random = randomOf(seed)
  const store = createMemoryStore()
  let nowMs = 1_000
  const clock = { nowMs: () => nowMs, sleep: async () => undefined }
  const settled = createCatalog({ store, clock })
  const first = await settled.create(draft('one'))
  if (random() < 0.5) await settled.setAlias('live', 'one')
  const steps = new Steps(random)
  const created = new Set<string>()
  const dropped = new Set<string>()
  for (let process = 0; process < 4; process++) {
    const livesFor = mayDie && random() < 0.5 ? Math.floor(random() * 14) : Infinity
    const catalog = createCatalog({ store: steps.storeOf(store, livesFor), clock })
    void act(catalog)
  }
  async function act(catalog: Catalog): Promise<void> {
    for (let acted = 0; acted < 2; acted++) {
      const at = Math.floor(random() * acts.length)
      try {
        const made = (await acts[at]!(catalog)) as { collectionId?: string } | undefined
        if (at < 2) created.add(made!.collectionId!)
        else if (at < 5) dropped.add(made!.collectionId!)
      } catch (error) {
        if (!isAppError(error)) throw error
      }
    }
  }
  await steps.run()

  // The sweep finishes what dead processes have begun.
  nowMs += 10 * 86_400_000
  await settled.unwanted({ unnamedAfterMs: 3_600_000 })
  const { collections, damaged } = await settled.unwanted({ unnamedAfterMs: 3_600_000 })
  const collectionIds = collections.map(({ collectionId }) => collectionId)
  expect(damaged).toEqual([])
  const listed = await settled.list({ fresh: true })
  const aliases = await settled.aliases({ fresh: true })
  for (const [alias, name] of Object.entries(aliases)) {
    expect(
      listed.map((spec) => spec.name),
      `${alias} leads to ${name}`
    ).toContain(name)
    expect(await settled.aliasesOf(name)).toContain(alias)
  }
  for (const { collectionId } of listed) {
    expect(dropped).not.toContain(collectionId)
    expect(collectionIds).not.toContain(collectionId)
    expect(await settled.isLive(collectionId)).toBe(true)
  }
  for (const id of dropped) {
    expect(await settled.isLive(id)).toBe(false)
    expect(collectionIds).toContain(id)
  }
  // What was answered is there, unless somebody dropped it; a dead process may have.
  const live = new Set(listed.map(({ collectionId }) => collectionId))
  for (const id of [first.collectionId, ...created])
    expect(live.has(id) || collectionIds.includes(id), `${id} is lost`).toBe(true)
  if (!mayDie)
    for (const id of created) expect(live.has(id) || dropped.has(id), `${id} is gone`).toBe(true)
  // A name is never left between two states.
  for (const name of ['one', 'two']) {
    const stored = await store.get(catalogNameKey(name))
    if (stored !== undefined)
      expect(Buffer.from(stored.body).toString()).not.toContain('"dropping":true')
  }
}

test.each([
  ['processes that live', false],
  ['processes that die between two steps', true]
])('of %s no order leaves an alias to nothing, or a collection half dropped', async (_, mayDie) => {
  for (let seed = 0; seed < 400; seed++)
    await play(seed, mayDie).catch((error: unknown) => {
      throw new Error(`seed ${seed}`, { cause: error })
    })
})
