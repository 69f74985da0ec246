import { expect, test } from 'vitest'
import { brief, context, createFakeEmbedder, image, subjectOf } from './fake-embedder.ts'

test('a query picture is embedded whole at the sizes of the gallery, so that a gallery picture finds itself', async () => {
  const { item, query, runs } = createFakeEmbedder()
  expect(brief(await query({ enrolment: { view_sizes: [224, 128] } }))).toEqual([
    ['subject', 1],
    ['whole', 224],
    ['whole', 128]
  ])
  expect(brief(await item({ view_sizes: [224, 128], subjects: false }))).toEqual([
    ['view', 224],
    ['view', 128]
  ])
  expect(runs).toEqual([
    'own 40x30 0.25 5',
    'whole 40x30 224',
    'whole 40x30 128',
    'whole 40x30 224',
    'whole 40x30 128'
  ])
})

test('a gallery without views holds pictures at the size of the model, and so is the query', async () => {
  const { item, query } = createFakeEmbedder()
  expect(brief(await query())).toEqual([
    ['subject', 1],
    ['whole', 416]
  ])
  expect(brief(await item({ view_sizes: [] }))).toEqual([
    ['subject', 1],
    ['whole', 416]
  ])
  expect(brief(await item({ view_sizes: [], subjects: false }))).toEqual([['whole', 416]])
})

test('of a query with a box only the box is embedded', async () => {
  const { query, runs } = createFakeEmbedder()
  expect(brief(await query({ box: [0, 0, 9, 9], enrolment: { view_sizes: [224] } }))).toEqual([
    ['given', 2]
  ])
  expect(runs).toEqual(['own 40x30 2 5'])
})

test('each inference passes the gate by itself', async () => {
  const { query } = createFakeEmbedder()
  let checks = 0
  await query({ enrolment: { view_sizes: [224, 128] }, look: { detect_tiles: [2] } }, image, {
    ...context,
    checkCancelled: () => void checks++
  })
  expect(checks).toBe(7)
})

test('a person is not the product: of the others the main one is enrolled, and more are detected so that one is left', async () => {
  const subjects = [
    subjectOf('person', [0, 0, 40, 30], 0.95),
    subjectOf('bag', [0, 0, 4, 4], 0.9),
    subjectOf('bottle', [10, 5, 30, 25], 0.6)
  ]
  const { item, query, runs } = createFakeEmbedder(subjects)
  const enrolment = { view_sizes: [], subjects: 'main' as const, without_classes: ['person'] }
  expect((await item(enrolment)).rows.map(({ kind, className }) => [kind, className])).toEqual([
    ['subject', 'bottle'],
    ['whole', null]
  ])
  expect((await query({ enrolment })).rows.map(({ className }) => className)).toEqual([
    'bag',
    'bottle',
    null
  ])
  expect(
    (await query({ enrolment, look: { query_subjects: 'main' } })).rows.map(
      ({ className }) => className
    )
  ).toEqual(['bottle', null])
  expect(runs).toEqual(Array(3).fill('own 40x30 0.25 20'))
})

test('the whole picture is the fallback where no subject counts', async () => {
  const { query } = createFakeEmbedder([subjectOf('person', [0, 0, 9, 9], 0.9)])
  const look = { whole: 'fallback' as const }
  expect(brief(await query({ look, enrolment: { view_sizes: [224] } }))).toEqual([['subject', 1]])
  expect(brief(await query({ look, enrolment: { view_sizes: [224], classes: ['car'] } }))).toEqual([
    ['whole', 224]
  ])
})

test('in a second pass subjects and given boxes are seen as whole pictures are, on both sides of a search', async () => {
  const { item, query, runs } = createFakeEmbedder([subjectOf('bag', [10, 5, 30, 25], 0.9)])
  const enrolment = { view_sizes: [64, 32], second_pass: true }
  const rows = [
    ['subject', 64],
    ['subject', 32]
  ]
  expect(brief(await item(enrolment))).toEqual([...rows, ['view', 64], ['view', 32]])
  expect(brief(await query({ enrolment, look: { whole: 'fallback' } }))).toEqual(rows)
  const given = await query({ enrolment, box: [10, 5, 30, 99] })
  expect([brief(given), given.rows[0]!.box]).toEqual([
    [
      ['given', 64],
      ['given', 32]
    ],
    [10, 5, 30, 99]
  ])
  expect(runs.filter((run) => run.startsWith('whole 20x'))).toEqual([
    'whole 20x20 64',
    'whole 20x20 32',
    'whole 20x20 64',
    'whole 20x20 32',
    'whole 20x25 64',
    'whole 20x25 32'
  ])
  expect(
    brief(await query({ enrolment: { ...enrolment, view_sizes: [] }, look: { whole: 'fallback' } }))
  ).toEqual([['subject', 416]])
  await expect(query({ enrolment, box: [50, 5, 60, 9] })).rejects.toMatchObject({
    code: 'invalid_request'
  })
})

test('tiles are embedded in the run that detects, and come last', async () => {
  const { query, runs } = createFakeEmbedder()
  const { rows } = await query({ look: { tiles: [2] } })
  expect(rows.map(({ kind }) => kind)).toEqual(['subject', 'whole', 'tile', 'tile', 'tile', 'tile'])
  expect(rows[2]!.box[0]).toBe(0)
  expect(rows[5]!.box[2]).toBe(40)
  expect(runs).toHaveLength(1)
})

test('what is found in an enlarged tile is a subject of the picture, where it lies there', async () => {
  const { query, runs } = createFakeEmbedder([subjectOf('logo', [5, 5, 15, 15], 0.8)])
  const { rows } = await query({ look: { detect_tiles: [2] } })
  expect(runs).toEqual(['own 40x30 0.25 5', ...Array(4).fill('own 27x20 0.25 5')])
  expect(rows.filter(({ kind }) => kind === 'subject').map(({ box }) => box.slice(0, 2))).toEqual([
    [5, 5],
    [18, 5],
    [5, 15],
    [18, 15]
  ])
})

test('a gallery picture is enrolled turned, slanted and on each ground, one row each and size', async () => {
  const { item, runs } = createFakeEmbedder()
  const rgba = new Uint8Array(40 * 30 * 4).fill(200).fill(0, 0, 4 * 40)
  const { rows } = await item(
    {
      view_sizes: [64],
      view_turns: [90],
      view_shears: [0.5],
      backgrounds: ['white', 'dark'],
      subjects: false
    },
    { ...image, rgba }
  )
  expect(rows.map(({ kind, box }) => [kind, ...box])).toEqual(Array(6).fill(['view', 0, 0, 40, 30]))
  expect(runs).toEqual([
    'whole 40x30 64',
    'whole 30x40 64',
    'whole 55x30 64',
    'whole 40x30 64',
    'whole 30x40 64',
    'whole 55x30 64'
  ])
  expect(
    (await item({ view_sizes: [64], backgrounds: ['white', 'dark'], subjects: false })).rows
  ).toHaveLength(1)
})

test('a gallery picture is enrolled as what is left of it where a side is covered, from above, below, left and right', async () => {
  const { item, runs } = createFakeEmbedder()
  const { rows } = await item({ view_sizes: [64], view_parts: [0.5], subjects: false })
  expect(rows.map(({ kind, box }) => [kind, ...box])).toEqual(Array(5).fill(['view', 0, 0, 40, 30]))
  expect(runs).toEqual([
    'whole 40x30 64',
    'whole 40x15 64',
    'whole 40x15 64',
    'whole 20x30 64',
    'whole 20x30 64'
  ])
})

test('transparent borders are cut off, and boxes are those of the picture as it was sent', async () => {
  const rgba = new Uint8Array(40 * 30 * 4)
  for (const [x, y] of [
    [10, 5],
    [29, 24]
  ] as const)
    rgba[4 * (40 * y + x) + 3] = 255
  const { item, query, runs } = createFakeEmbedder()
  const picture = { ...image, rgba }
  const enrolment = { view_sizes: [64], trim: true }
  expect((await item(enrolment, picture)).rows.map(({ kind, box }) => [kind, ...box])).toEqual([
    ['subject', 11, 7, 13, 9],
    ['view', 10, 5, 30, 25]
  ])
  expect((await query({ enrolment, box: [12, 8, 20, 20] }, picture)).rows).toMatchObject([
    { kind: 'given', box: [12, 8, 20, 20] }
  ])
  expect(runs[0]).toBe('own 20x20 0.25 5')
})
