import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { UserError } from '../user-error.ts'
import { openLabelled } from './labelled-pictures.ts'
import { parseLabels, readLabels } from './labels-table.ts'

const header = 'path,label,role,bbox_xyxy,extra\n'
const brief = (rows: string) =>
  parseLabels(header + rows, 'l.csv').map(({ path, label, role }) => [path, label, role])

let folder: string
let file: string
beforeEach(() => {
  folder = temporaryFolder('table')
  file = join(folder, 'labels.csv')
})
const save = (text: string | Buffer) => writeFile(file, text)
async function pictures(...names: string[]): Promise<void> {
  const bytes = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer()
  for (const name of names) {
    await mkdir(join(folder, name, '..'), { recursive: true })
    await writeFile(join(folder, name), bytes)
  }
}
const open = () =>
  openLabelled({
    file,
    roles: ['gallery', 'query'],
    workDir: temporaryFolder('work'),
    say: () => {}
  })
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error: unknown = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown
  )
  expect(error).toBeInstanceOf(UserError)
  return (error as Error).message.replaceAll(folder, 'SET')
}

test('quotes enclose fields, with commas, quotes and spaces inside', () => {
  expect(
    brief(
      'a.jpg,"Coca-Cola, 330 ml",gallery,,\r\n"img/a, b.jpg",red,query,,\r\nc.jpg,"6"" pipe",query,"1|2|3|4",\r\n'
    )
  ).toEqual([
    ['a.jpg', 'Coca-Cola, 330 ml', 'gallery'],
    ['img/a, b.jpg', 'red', 'query'],
    ['c.jpg', '6" pipe', 'query']
  ])
  expect(brief('a.jpg,blue,gallery,,\na.jpg,"blue",query,,\n').map(([, label]) => label)).toEqual([
    'blue',
    'blue'
  ])
})

test('quotes inside a field are its own, and a header may stand in quotes', () => {
  expect(brief('a.jpg,6" pipe,gallery,,\n')).toEqual([['a.jpg', '6" pipe', 'gallery']])
  expect(
    parseLabels('"path","label","role","bbox_xyxy","extra"\na.jpg,x,query,,\n', 'l.csv')
  ).toHaveLength(1)
})

test('spaces beside a comma belong to no field, and labels are compared without spaces', () => {
  expect(brief('a.jpg, blue, gallery, ,\n" b.jpg", "blue, dark" ,"query", ,\n')).toEqual([
    ['a.jpg', 'blue', 'gallery'],
    [' b.jpg', 'blue, dark', 'query']
  ])
  expect(brief('a.jpg," blue ",gallery,,\n')).toEqual([['a.jpg', 'blue', 'gallery']])
})

test.each([
  ['CRLF', '\r\n'],
  ['CR', '\r']
])('lines may end with %s, and blank lines count', (_name, end) => {
  expect(
    parseLabels(
      `${header.trim()}${end}a.jpg,x,query,,${end}${end}b.jpg,y,query,,${end}`,
      'l.csv'
    ).map(({ path, line }) => [path, line])
  ).toEqual([
    ['a.jpg', 2],
    ['b.jpg', 4]
  ])
})

test.each([
  ['a column twice', 'path,label,label,bbox_xyxy,extra\n', /^l\.csv:1: .*the column label twice/],
  ['another separator', 'path;label;role;bbox_xyxy;extra\n', /^l\.csv:1: the first line must be/],
  ['no header', '', /^l\.csv:1: the first line must be/],
  [
    'a quote that is never closed',
    `${header}a.jpg,"x,query,,\nb.jpg,y,query,,\n`,
    /l\.csv: .*quote/i
  ],
  ['too few fields', `${header}a.jpg,x\n`, /^l\.csv:2: five fields are expected, 2 are there/],
  ['a label of two lines', `${header}a.jpg,"x\ny",query,,\n`, /column 2 has the control character/],
  [
    'a box with a gap',
    `${header}a.jpg,x,query,1||3|4,\n`,
    /^l\.csv:2: the box must be x1\|y1\|x2\|y2/
  ],
  ['a box with a word', `${header}a.jpg,x,query,1|2|3|Infinity,\n`, /^l\.csv:2: the box must be/]
])('%s is a message with its place', (_name, text, expected) => {
  expect(() => parseLabels(text, 'l.csv')).toThrow(expected)
  expect(() => parseLabels(text, 'l.csv')).toThrow(UserError)
})

test('UTF-16 with a byte order mark is read; other bytes are refused by their cause', async () => {
  await save(Buffer.from(`\uFEFF${header}a.jpg,grün,query,,\n`, 'utf16le'))
  expect((await readLabels(file)).map(({ label }) => label)).toEqual(['grün'])
  await save(Buffer.from(`${header}a.jpg,gr\u00fcn,query,,\n`, 'latin1'))
  expect(await refusal(readLabels(file))).toBe('SET/labels.csv is not UTF-8: save it as UTF-8')
  expect(await refusal(readLabels(folder))).toBe('SET is not a file')
})

test('missing pictures are named with their lines, before any picture is brought', async () => {
  await pictures('a.jpg')
  await save(
    `${header}a.jpg,x,gallery,,\n./gone.jpg,y,gallery,,\na.jpg,x,query,,\n../up.jpg,x,query,,\n`
  )
  expect(await refusal(open())).toBe(
    'SET/labels.csv:3: ./gone.jpg is no file below SET\nSET/labels.csv:5: ../up.jpg is not inside SET'
  )
  await save(`${header}a.jpg,x, 330 ml,gallery,,\na.jpg,x,query,,\n`)
  expect(await refusal(open())).toBe(
    'SET/labels.csv:2: a.jpg,x is no file below SET: a path or label with a comma needs quotes'
  )
})

test('a label that is empty, and a reference that is no picture, are named with their lines', async () => {
  await pictures('a.jpg')
  await save(`${header}a.jpg, ,gallery,,\na.jpg,x,query,,\n`)
  expect(await refusal(open())).toBe('SET/labels.csv:2: a.jpg has no label')
  await writeFile(join(folder, 'b.jpg'), 'no picture')
  await save(`${header}b.jpg,x,gallery,1|1|5|5,\na.jpg,x,query,,\n`)
  expect(await refusal(open())).toMatch(/^SET\/labels\.csv:2: b\.jpg: /)
})

test('paths of a table are written in any way, as in a list', async () => {
  await pictures('my folder/a.jpg')
  await save(
    `${header}my folder\\a.jpg,x,gallery,,\n${join(folder, 'my folder/a.jpg')},x,query,,\n.//my folder/a.jpg,x,query,,\n`
  )
  const { queries } = await open()
  expect(queries.map((query) => query.file)).toEqual(
    [1, 2].map(() => join(folder, 'my folder/a.jpg'))
  )
})
