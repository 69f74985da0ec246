// Checks of the doctor that look at segments and replicas.
import { expect, test } from 'vitest'
import { memory, neededBytes } from '../src/doctor/checks/memory.ts'
import { recall } from '../src/doctor/checks/recall.ts'
import { replica } from '../src/doctor/checks/replica.ts'
import { searchBudget } from '../src/doctor/checks/search-budget.ts'
import { segments } from '../src/doctor/checks/segments.ts'
import { directions, labelled, openGallery } from './doctor-gallery.ts'

test('deleted rows are found, and many segments that nothing has joined', async () => {
  const gallery = await openGallery({}, { merges: false })
  const items = labelled(5, 10)
  await gallery.add(items)
  expect(await gallery.examine(segments)).toBeUndefined()
  await gallery.remove(items.slice(0, 20).map(({ id }) => id))
  expect((await gallery.examine(segments))?.found).toBe('20 of 50 rows are deleted')
  for (const [i, item] of items.slice(0, 33).entries())
    await gallery.add([{ ...item, id: `late ${i}` }])
  const found = await gallery.examine(segments)
  expect(found?.found).toBe('20 of 83 rows are deleted; 34 segments, 33 would do')
  expect(found?.type).toEqual([expect.stringMatching(/^curl -X POST '.*\/marks\/compact'$/)])
})

test('a replica that cannot load the newest version is found, with the reason', async () => {
  const gallery = await openGallery({}, { pollMs: 60_000 })
  await gallery.add(labelled(5, 4))
  await gallery.api.searchByItem('marks', '0-0', { k: 1, consistency: 'strong' })
  expect(await gallery.examine(replica)).toBeUndefined()
  const prefix = `c/${gallery.incarnation}/seg/`
  const before = await gallery.test.keys(prefix)
  await gallery.add([{ ...labelled(1, 1)[0]!, id: 'late' }])
  const made = (await gallery.test.keys(prefix)).filter((key) => !before.includes(key))
  expect(made).not.toEqual([])
  await gallery.test.store.delete(made)
  const strong = { k: 1, consistency: 'strong' } as const
  await expect(gallery.api.searchByItem('marks', '0-0', strong)).rejects.toThrow(/replica_behind/)
  const found = await gallery.examine(replica)
  expect(found?.found).toMatch(/^version \d+ is served and \d+ is the newest, for \d+ s: .*seg\//)
})

test('memory of deleted rows is found against what the live rows need', async () => {
  const gallery = await openGallery(
    { embedding: { version: 'test@1/wide@1', dim: 1024, unit: true } },
    { merges: false }
  )
  const items = Array.from({ length: 800 }, (_, i) => ({
    id: `${i}`,
    label: `label ${i % 9}`,
    vector: directions(1, i + 1, 1024)[0]!
  }))
  await gallery.add(items)
  await gallery.api.searchByItem('marks', '1', { k: 1, consistency: 'strong' })
  const { collection } = await gallery.subject()
  // The formula is that of what is loaded.
  expect(collection.loaded!.bytes / neededBytes(collection)).toBeCloseTo(1, 1)
  expect(await gallery.examine(memory)).toBeUndefined()
  await gallery.remove(items.slice(0, 600).map(({ id }) => id))
  await gallery.api.searchByItem('marks', '700', { k: 1, consistency: 'strong' })
  const found = await gallery.examine(memory)
  expect(found?.found).toMatch(/^3\.\d MB are loaded, the live rows need 0\.\d MB; 600 rows are/)
  expect(found?.type[0]).toContain('/compact')
})

const indexed = (settings: object) => ({
  index_method: 'IVF',
  settings: { seal_threshold: 500, ...settings }
})
const many = () =>
  directions(1500).map((vector, i) => ({ id: `${i}`, label: `label ${i % 50}`, vector }))

test('a recall below the target is found with the budget that reaches it, which then is enough', async () => {
  const gallery = await openGallery(indexed({ search_budget: 1 }))
  await gallery.add(many())
  expect((await gallery.subject()).collection.segments.map(({ index }) => index)).toContain('ivf')
  const found = await gallery.examine(recall)
  expect(found?.found).toMatch(
    /^recall@10 is 0\.\d+ against exact search, the target is 0\.9; search_budget is 1$/
  )
  const { settings } = JSON.parse(/-d '(.*)'/.exec(found!.type[0]!)![1]!) as {
    settings: { search_budget: number }
  }
  const enough = await openGallery(indexed(settings))
  await enough.add(many())
  expect(await enough.examine(recall)).toBeUndefined()
})

test('a search budget that finds no more than a quarter of it is found', async () => {
  const few = labelled(4, 200, 0.99)
  const gallery = await openGallery(indexed({ search_budget: 400 }))
  await gallery.add(few)
  const found = await gallery.examine(searchBudget)
  expect(found?.found).toMatch(/^search_budget is 400, with a recall@10 of 1\.000 in /)
  const fitting = await openGallery(indexed({ search_budget: 16 }))
  await fitting.add(few)
  expect(await fitting.examine(searchBudget)).toBeUndefined()
  const unset = await openGallery(indexed({}))
  await unset.add(few)
  expect(await unset.examine(searchBudget)).toBeUndefined()
})
