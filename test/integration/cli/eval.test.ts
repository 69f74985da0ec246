// Tests `likeness eval` with the real program and the smallest model, on a set with known right
// answers: figures, exit codes, the sheet.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { type Home, openHome } from './likeness.ts'

let home: Home
let folder: string
beforeAll(async () => {
  home = await openHome()
  // The queries are gallery pictures under other names, and each picture is found first. Two are
  // special: a query with the label of another picture, and a query that should be unknown.
  const seeds = Array.from({ length: 8 }, (_, i) => i)
  folder = await home.folder(
    'set',
    {},
    Object.fromEntries(
      seeds.flatMap((seed) => [
        [`g${seed}.jpg`, seed],
        [`q${seed}.jpg`, seed]
      ])
    )
  )
  const other: Record<number, string> = { 6: 'label 5', 7: 'none' }
  const labels = (seed: number): string => other[seed] ?? `label ${seed}`
  await writeFile(
    join(folder, 'labels.csv'),
    [
      'path,label,role,bbox_xyxy,extra',
      ...seeds.map((seed) => `g${seed}.jpg,label ${seed},gallery,,`),
      ...seeds.map((seed) => `q${seed}.jpg,${labels(seed)},query,,`)
    ].join('\n')
  )
})

test('a labelled set is imported, asked and judged; R@1 below the floor is exit code 1, and the sheet has the wrong answers', async () => {
  const run = await home.run(
    home.dir,
    'eval',
    'set',
    '--json',
    '--min-r1',
    '0.9',
    '--sheet',
    'wrong.html'
  )
  expect(run.code, run.stderr).toBe(1)
  expect(run.json()).toEqual({
    queries: 8,
    r1: expect.closeTo(6 / 7, 3) as number,
    r5: expect.any(Number) as number,
    map: expect.any(Number) as number,
    falseAccept: 1,
    falseReject: 0,
    msPerQuery: expect.any(Number) as number
  })
  expect(run.stdout).toContain('8 in the gallery, FLAT, tiny@1.0.0/tiny@1')
  expect(run.stdout).toContain('R@1 is below 0.9')
  const sheet = await readFile(join(home.dir, 'wrong.html'), 'utf8')
  expect([...sheet.matchAll(/<article>[\s\S]*?(q\d)\.jpg/g)].map(([, name]) => name)).toEqual([
    'q6',
    'q7'
  ])
})

test('quotes and commas of labels.csv are no part of the labels: identical pictures are found first', async () => {
  const quoted = await home.folder('quoted', {}, { 'img/a, b.jpg': 1, 'img/c.jpg': 2 })
  await writeFile(
    join(quoted, 'labels.csv'),
    '\uFEFFpath,label,role,bbox_xyxy,extra\r\n"img/a, b.jpg","Coca-Cola, 330 ml",gallery,,\r\nimg/c.jpg,blue,gallery,,\r\n"./img/a, b.jpg","Coca-Cola, 330 ml",query,,\r\nimg\\c.jpg,"blue",query,,\r\n'
  )
  const run = await home.run(home.dir, 'eval', 'quoted', '--json')
  expect([run.code, run.json()], run.stderr).toEqual([
    0,
    expect.objectContaining({ queries: 2, r1: 1 })
  ])
})

test.each([
  [
    'a picture that is missing',
    'gone.jpg,x,query,,\n',
    /labels\.csv:3: gone\.jpg is no file below/
  ],
  ['a quote that is never closed', '"g0.jpg,x,query,,\n', /labels\.csv: Quote Not Closed/],
  [
    'a file that is no picture',
    'labels.csv,x,gallery,1|1|9|9,\ng0.jpg,x,query,,\n',
    /labels\.csv:3: /
  ]
])('%s in labels.csv is one message, without a stack', async (_name, rows, expected) => {
  const broken = await home.folder('broken', {}, { 'g0.jpg': 0 })
  await writeFile(
    join(broken, 'labels.csv'),
    `path,label,role,bbox_xyxy,extra\ng0.jpg,x,gallery,,\n${rows}`
  )
  const run = await home.run(home.dir, 'eval', 'broken')
  expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(expected)])
  expect(run.stderr).not.toMatch(/\n\s+at /)
})

test('a folder that cannot be written is one message that names it', async () => {
  const run = await home.run(home.dir, 'eval', 'set', '--data', join(folder, 'labels.csv'))
  expect([run.code, run.stderr]).toEqual([1, expect.stringMatching(/ENOTDIR.*labels\.csv/)])
  expect(run.stderr).not.toMatch(/\n\s+at /)
})
