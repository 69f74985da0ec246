import { expect, test } from 'vitest'
import { brief, createFakeEmbedder, embedding, image, subjectOf } from './fake-embedder.ts'
import { middleOf } from './query-views.ts'

/** Means of the fake's vectors are plain, so that they tell of what they are the mean. */
const plain = { ...embedding, unit: false }
const look = { query_views: [0.5] }

test('the middle of a box has the given part of each side', () => {
  expect(middleOf([10, 20, 30, 24], 0.5)).toEqual([15, 21, 25, 23])
})

test('a second view of a query doubles its runs, and the mean of both is searched for', async () => {
  const { query, runs } = createFakeEmbedder()
  expect(
    brief(await query({ embedding: plain, look, enrolment: { view_sizes: [224, 128] } }))
  ).toEqual([
    ['subject', 1.5],
    ['whole', 224],
    ['whole', 128]
  ])
  expect(runs).toEqual([
    'own 40x30 0.25 5',
    'own 40x30 2 5',
    'whole 40x30 224',
    'whole 40x30 128',
    'whole 20x16 224',
    'whole 20x16 128'
  ])
})

test('the mean has the length of a stored row', async () => {
  const { query } = createFakeEmbedder()
  const { vectors } = await query({ look })
  expect(Math.hypot(vectors[0]!, vectors[1]!)).toBeCloseTo(1)
})

test('a given box, and a box that is cut out, have a middle too', async () => {
  const { query, runs } = createFakeEmbedder()
  expect(brief(await query({ embedding: plain, look, box: [0, 0, 8, 8] }))).toEqual([['given', 2]])
  expect(runs).toHaveLength(2)
  const enrolment = { view_sizes: [64, 32], second_pass: true }
  expect(brief(await query({ embedding: plain, look, enrolment, box: [0, 0, 8, 8] }))).toEqual([
    ['given', 64],
    ['given', 32]
  ])
  expect(runs.slice(2)).toEqual(['whole 8x8 64', 'whole 8x8 32', 'whole 4x4 64', 'whole 4x4 32'])
})

test('in the mean with the whole picture each subject is searched for at each size of the whole; the whole alone where there is no subject', async () => {
  const { query } = createFakeEmbedder()
  const asked = { embedding: plain, look: { whole: 'mean' as const } }
  expect(brief(await query({ ...asked, enrolment: { view_sizes: [224, 128] } }))).toEqual([
    ['subject', 112.5],
    ['subject', 64.5]
  ])
  expect(
    brief(await query({ ...asked, enrolment: { view_sizes: [64, 32], second_pass: true } }))
  ).toEqual([
    ['subject', 64],
    ['subject', 32]
  ])
  expect(
    brief(await query({ ...asked, enrolment: { view_sizes: [224], classes: ['bus'] } }))
  ).toEqual([['whole', 224]])
})

test('the mean of a subject and the whole holds the second view of both', async () => {
  const { query } = createFakeEmbedder()
  const asked = { embedding: plain, look: { ...look, whole: 'mean' as const } }
  expect(brief(await query({ ...asked, enrolment: { view_sizes: [224] } }))).toEqual([
    ['subject', (1 + 2 + 224 + 224) / 4]
  ])
})

test('raw vectors are those of the first view', async () => {
  const { query } = createFakeEmbedder()
  const { raw, rows } = await query({ look, raws: true })
  expect(raw).toHaveLength(2 * rows.length)
})

test('without subjects nothing is detected, and the whole picture is searched for', async () => {
  const { query, runs } = createFakeEmbedder()
  const none = { query_subjects: 'none' as const, detect_tiles: [2] }
  expect(brief(await query({ look: none, enrolment: { view_sizes: [224] } }))).toEqual([
    ['whole', 224]
  ])
  expect(runs).toEqual(['whole 40x30 224'])
  expect((await query({ look: { ...none, tiles: [2] } })).rows.map(({ kind }) => kind)).toEqual([
    'whole',
    ...Array(4).fill('tile')
  ])
})

test("a view at the model's own size is the run that found the subjects, on both sides of a search", async () => {
  const { item, query, runs } = createFakeEmbedder([subjectOf('car', [1, 2, 3, 4], 0.9)])
  const enrolment = { view_sizes: [416, 224] }
  expect(brief(await query({ enrolment }))).toEqual([
    ['subject', 1],
    ['whole', 416],
    ['whole', 224]
  ])
  expect(brief(await item(enrolment, image))).toEqual([
    ['subject', 1],
    ['view', 416],
    ['view', 224]
  ])
  expect(runs).toEqual([
    'own 40x30 0.25 5',
    'whole 40x30 224',
    'own 40x30 0.25 5',
    'whole 40x30 224'
  ])
})
