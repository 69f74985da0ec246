// What lies near a query, against a plain comparison with all items.
import { afterEach, expect, test } from 'vitest'
import { labelKey, nearLabels } from '@likeness/shared/contract/margin'
import type { Filter } from '@likeness/shared/contract/filter'
import type { CollectionReader, SearchQuery } from '../src/contract.ts'
import { createGallery, type Gallery } from '../src/testing/gallery.ts'
import { type TestItem, vectorOf } from '../src/testing/test-items.ts'
import type { CollectionWriter } from '../src/writer/collection-writer.ts'

let gallery: Gallery
let writer: CollectionWriter
afterEach(() => gallery.close())

async function open(items: readonly TestItem[], method: 'FLAT' | 'HNSW32' = 'FLAT') {
  gallery = await createGallery({ method, sealThreshold: 100 })
  writer = await gallery.openWriter()
  await gallery.add(writer, items)
  while (await writer.merge());
}
const items = (count: number, labelOf: (i: number) => string | undefined): TestItem[] =>
  Array.from({ length: count }, (_, i) => {
    const label = labelOf(i)
    return { id: `item-${i}`, seeds: [i], ...(label !== undefined && { label }) }
  })

const around = (query: Partial<SearchQuery>, except: string[], within?: Filter) =>
  gallery.read(async (reader) => {
    const asked = { vectors: vectorOf(7_000), k: 3, ...query }
    const [found] = await reader.searchAround(asked, { except: new Set(except), within })
    const left = within === undefined ? [] : ['item-3', 'item-4']
    const expected = await compared(reader, new Set([...except, ...left]))
    expect(found!.hits.map(({ item, score }) => [item.id, score])).toEqual(
      (await reader.search(asked))[0]!.map(({ item, score }) => [item.id, score])
    )
    return { found: found!.around, expected }
  })

async function compared(reader: CollectionReader, except: ReadonlySet<string>) {
  const query = vectorOf(7_000)
  const all = []
  for await (const { item, vectors } of reader.scrollVectors())
    if (!except.has(item.id)) {
      const score = (vectors as Float32Array).reduce((sum, v, i) => sum + v * query[i]!, 0)
      all.push({ id: item.id, label: item.label, score: Math.round(1e6 * score) / 1e6 })
    }
  all.sort((a, b) => b.score - a.score)
  return { nearest: all.slice(0, 5).map(labelKey), labels: nearLabels(all) }
}

const rounded = (labels: readonly (readonly [string, number])[]) =>
  labels.map(([label, score]) => [label, Number(score.toFixed(5))])
async function check(
  query: Partial<SearchQuery> = {},
  except: string[] = [],
  within?: Filter
): Promise<void> {
  const { found, expected } = await around(query, except, within)
  expect(found.nearest).toEqual(expected.nearest)
  expect(rounded(found.labels)).toEqual(rounded(expected.labels))
}

test('the nearest items and the nearest six labels, over several segments, with and without labels', async () => {
  await open(items(300, (i) => (i % 3 === 0 ? undefined : `l${i % 40}`)))
  await gallery.add(writer, [{ id: 'more', label: 'l1', seeds: [7_001] }])
  await check()
})

test('a filter, groups and left-out items change the hits, and not what lies near', async () => {
  await open(items(300, (i) => `l${i % 40}`))
  await check({ filter: { label: 'l3' } })
  await check({ groupBy: 'label' })
  const [first] = await gallery.read((reader) => reader.search({ vectors: vectorOf(7_000), k: 1 }))
  await check({}, [first![0]!.item.id])
})

test('what cannot be a hit at all is no part of what lies near', async () => {
  await open(items(300, (i) => `l${i % 40}`).map((item, i) => ({ ...item, metadata: { n: i } })))
  const within: Filter = { not: { any: [{ metadata: { n: 3 } }, { metadata: { n: 4 } }] } }
  await check({ filter: within }, [], within)
  await check({ filter: { label: 'l3' } }, [], within)
})

test('where one label fills the list, the other labels are searched for', async () => {
  await open(items(900, (i) => (i % 60 === 0 ? `l${i}` : 'large')))
  await check()
})

test('a graph gives the same labels as a scan', async () => {
  await open(
    items(400, (i) => `l${i % 100}`),
    'HNSW32'
  )
  await check()
})

test('items of a label are counted, without deleted ones, with renamed and new ones', async () => {
  await open(items(700, (i) => (i % 2 === 0 ? 'even' : undefined)))
  const count = (label: string) => gallery.read((reader) => reader.countLabel(label))
  expect(await count('even')).toBe(350)
  await gallery.remove('item-0', 'item-2', 'item-3')
  await gallery.relabel(['item-4', 'item-5', 'item-7'], { label: 'other' })
  await gallery.relabel(['item-6'], { label: null })
  await gallery.add(writer, [{ id: 'new', label: 'even', seeds: [9_000] }])
  expect([await count('even'), await count('other'), await count('none')]).toEqual([347, 3, 0])
  await gallery.remove('item-4')
  while ((await writer.step({ list: true })).more);
  expect([await count('even'), await count('other')]).toEqual([347, 2])
})
