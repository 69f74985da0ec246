// Checks of the doctor that look at items: each fault is planted in a gallery, and found there and
// not before.
import { expect, test } from 'vitest'
import { contradictions } from '../src/doctor/checks/contradictions.ts'
import { embedding } from '../src/doctor/checks/embedding.ts'
import { greedyLabel } from '../src/doctor/checks/greedy-label.ts'
import { lengths } from '../src/doctor/checks/lengths.ts'
import { smallPictures } from '../src/doctor/checks/small-pictures.ts'
import { directions, labelled, near, openGallery, unitOf } from './doctor-gallery.ts'

test('near-duplicates under two labels are found, with their ids and pictures', async () => {
  const gallery = await openGallery()
  const items = labelled(8, 4)
  await gallery.add(items)
  expect(await gallery.examine(contradictions)).toBeUndefined()
  const twin = near(items[5]!.vector, directions(1, 9)[0]!, 0.995)
  await gallery.add([{ id: 'twin', label: 'other', vector: twin }])
  const found = await gallery.examine(contradictions)
  expect(found?.found).toMatch(/^1 near-duplicates under two labels/)
  expect(found?.examples).toHaveLength(1)
  for (const part of ['1-1 (label 1)', 'twin (other)', 'score 0.995', '/items/twin/image'])
    expect(found?.examples?.[0]).toContain(part)
  expect(found?.type[0]).toMatch(/relabel.*"1-1"/)
  const [, url] = /(http\S+\/image)$/.exec(found!.examples![0]!)!
  expect((await fetch(url!)).status).toBe(404)
})

test('a label that answers for many other labels is found', async () => {
  const gallery = await openGallery()
  const items = labelled(12, 2, 0.6)
  await gallery.add(items)
  expect(await gallery.examine(greedyLabel)).toBeUndefined()
  // Items of one label beside an item of each other label: what is in the background of all.
  await gallery.add(
    items.map(({ id, vector }, i) => ({
      id: `shelf ${id}`,
      label: 'shelf',
      vector: near(vector, directions(items.length, 7)[i]!, 0.9)
    }))
  )
  const found = await gallery.examine(greedyLabel)
  expect(found?.found).toMatch(/wrong answers are "shelf", for things of 12 other labels/)
  expect(found?.examples?.[0]).toContain('(shelf) is found for')
})

test('vectors of several lengths under the inner product are found, and no others', async () => {
  const items = labelled(6, 3).map((item, i) => ({
    ...item,
    vector: item.vector.map((value) => value * (1 + (i % 5)))
  }))
  const gallery = await openGallery({ metric: 'IP' }, { unit: false })
  await gallery.add(items.map((item) => ({ ...item, vector: unitOf(item.vector) })))
  expect(await gallery.examine(lengths)).toBeUndefined()
  await gallery.add(items)
  const found = await gallery.examine(lengths)
  expect(found?.found).toBe('of 18 vectors the shortest have the length 1.00, the longest 5.00')
  // The remedy that is told is one: it runs, and finds nothing afterwards.
  const cosine = await openGallery({ metric: 'cosine' }, { unit: false })
  await cosine.add(items)
  expect(await cosine.examine(lengths)).toBeUndefined()
})

test('pictures that are too small are found, the smallest first', async () => {
  const gallery = await openGallery()
  const sized = (side: number) =>
    labelled(5, 4).map((item) => ({ ...item, width: 2 * side, height: side }))
  await gallery.add(sized(400))
  expect(await gallery.examine(smallPictures)).toBeUndefined()
  await gallery.add(sized(60).slice(0, 4))
  await gallery.add(sized(20).slice(4, 5))
  const found = await gallery.examine(smallPictures)
  expect(found?.found).toBe('5 of 20 pictures have a side below 112 pixels')
  expect(found?.examples?.[0]).toMatch(/^1-0, 40 x 20: http/)
})

test('a gallery of another model than that of the embed-workers is found once it has pictures', async () => {
  const other = { embedding: { version: 'other@2/whole@1', dim: 32, unit: true } }
  const gallery = await openGallery(other)
  await gallery.add(labelled(4, 2))
  expect(await gallery.examine(embedding)).toBeUndefined()
  await gallery.add(labelled(4, 2).map((item) => ({ ...item, width: 300, height: 300 })))
  const found = await gallery.examine(embedding)
  expect(found?.found).toBe('the vectors are of other@2/whole@1, the embed-workers have test@1')
  expect(found?.type.at(-1)).toContain('--model other')
})

test('embed-workers with two models are found', async () => {
  const gallery = await openGallery()
  const [lane] = gallery.test.embedders.known()
  const second = {
    ...lane!,
    workerId: 'second',
    embedding: { ...lane!.embedding, version: 'new@2/a@1' }
  }
  gallery.test.embedders.known = () => [lane!, second]
  expect((await gallery.examine(embedding))?.found).toBe(
    'the embed-workers have several models: test@1, new@2'
  )
})
