// One picture has one id, whichever way a list writes its path; lists in odd encodings.
import { writeFileSync } from 'node:fs'
import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { walkFolder } from '../ingest/walk-folder.ts'
import { startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
let root: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
  root = join(api.dir, 'import')
})
afterEach(() => api.stop())

async function write(...names: string[]): Promise<void> {
  for (const name of names) {
    await mkdir(dirname(join(root, name)), { recursive: true })
    await writeFile(join(root, name), name)
  }
}
/** Imports and returns id, label, code and picture of each item. */
async function importList(
  list: string | Buffer<ArrayBuffer>,
  place: Record<string, string> = { root },
  name = 'list.tsv'
) {
  const form = new FormData()
  form.append('list', new Blob([list]), name)
  for (const [field, value] of Object.entries(place)) form.append(field, value)
  const response = await api.fetch('/v1/collections/marks/imports', { method: 'POST', body: form })
  expect(response.status).toBe(202)
  const lines = await api.itemList(collectionId, ((await response.json()) as { job: string }).job)
  return Promise.all(
    lines.map(async ({ id, label, failure, imageKey }) => [
      id,
      failure?.code ?? label,
      imageKey === null ? null : Buffer.from((await api.store.get(imageKey))!.body).toString()
    ])
  )
}
const ndjson = (...paths: string[]): string =>
  paths.map((path) => `${JSON.stringify({ path, label: 'x' })}\n`).join('')

test('the ways to write a relative path are one id, in lists of both forms', async () => {
  await write('0/0.jpg')
  const expected = [1, 2, 3, 4].map(() => ['0/0.jpg', 'x', '0/0.jpg'])
  const paths = ['./0/0.jpg', '0/0.jpg', '0//0.jpg', '1/../0/0.jpg']
  expect(await importList(paths.map((path) => `${path}\tx\n`).join(''))).toEqual(expected)
  expect(await importList(ndjson(...paths), { root }, 'list.ndjson')).toEqual(expected)
})

test('an absolute path inside the root is taken, by its real name and by the name that was given', async () => {
  await write('0/0.jpg')
  const link = join(root, 'link')
  await symlink(join(root, '0'), link)
  expect(
    await importList(`${link}/0.jpg\tx\n${root}/0/0.jpg\ty\n${root}/1.jpg\tz\n`, { root: link })
  ).toEqual([
    ['0.jpg', 'x', '0/0.jpg'],
    ['0.jpg', 'y', '0/0.jpg'],
    [join(root, '1.jpg'), 'path_outside_root', null]
  ])
})

test('backslashes part names where the file is there; a name with a backslash stays', async () => {
  await write('my folder/a b.jpg', 'odd\\name.jpg')
  expect(
    await importList(
      'my folder\\a b.jpg\tx\nodd\\name.jpg\ty\n.\\gone\\0.jpg\tz\nC:\\pictures\\0.jpg\tw\n'
    )
  ).toEqual([
    ['my folder/a b.jpg', 'x', 'my folder/a b.jpg'],
    ['odd\\name.jpg', 'y', 'odd\\name.jpg'],
    ['.\\gone\\0.jpg', 'image_missing', null],
    ['C:\\pictures\\0.jpg', 'path_outside_root', null]
  ])
})

test('an accent is found in both compositions, and the id is the name on the disk', async () => {
  const [nfc, nfd] = ['caf\u00e9/1.jpg', 'cafe\u0301/2.jpg']
  await write(nfc, nfd)
  expect(
    await importList(ndjson(nfc.normalize('NFD'), nfd.normalize('NFC'), nfd), { root }, 'a.ndjson')
  ).toEqual([
    [nfc, 'x', nfc],
    [nfd, 'x', nfd],
    [nfd, 'x', nfd]
  ])
})

test('the same holds for the keys of a prefix', async () => {
  const nfd = 'logos/cafe\u0301.jpg'
  for (const key of ['logos/0/0.jpg', nfd]) await api.store.put(key, Buffer.from(key))
  expect(
    await importList('./0//0.jpg\tx\n0\\0.jpg\ty\ncaf\u00e9.jpg\tz\n/0/0.jpg\tw\n', {
      prefix: 'logos'
    })
  ).toEqual([
    ['logos/0/0.jpg', 'x', 'logos/0/0.jpg'],
    ['logos/0/0.jpg', 'y', 'logos/0/0.jpg'],
    [nfd, 'z', nfd],
    ['/0/0.jpg', 'path_outside_root', null]
  ])
})

test('an id that the list gives stays as it is', async () => {
  await write('a.jpg')
  expect(await importList('./a.jpg\tx\t./mine\n')).toEqual([['./mine', 'x', 'a.jpg']])
})

test('the root itself, folders and very long names fail their line alone', async () => {
  await write('0/0.jpg')
  const deep = `${'d/'.repeat(400)}0.jpg`
  expect(
    await importList(`.\tx\n0/\ty\n${'n'.repeat(300)}\tz\n${deep}\tw\n0/0.jpg/1\tv\n`)
  ).toEqual([
    ['.', 'image_missing', null],
    ['0', 'image_missing', null],
    ['n'.repeat(300), 'image_missing', null],
    [deep, 'image_missing', null],
    ['0/0.jpg/1', 'image_missing', null]
  ])
})

test('lists with CR line ends and in UTF-16 are read; a control character fails its line', async () => {
  await write('a.jpg', 'b.jpg')
  const expected = [
    ['a.jpg', 'x', 'a.jpg'],
    ['b.jpg', 'y', 'b.jpg']
  ]
  expect(await importList('a.jpg\tx\rb.jpg\ty\r')).toEqual(expected)
  expect(await importList(Buffer.from('\uFEFFa.jpg\tx\r\nb.jpg\ty\r\n', 'utf16le'))).toEqual(
    expected
  )
  expect(await importList('a.jpg\tx\nb.jpg\tla\u0002bel\na.jpg\tla\rbel\n')).toEqual([
    expected[0],
    ['b.jpg', 'invalid_list_line', null],
    ['a.jpg', 'invalid_list_line', null]
  ])
})

test('a name on the disk that is not UTF-8 fails alone, and the message says so', async () => {
  await write('a.jpg')
  writeFileSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0x67, 0xfc)]), '')
  const answer = await api.post('/v1/collections/marks/imports', { root })
  const { job } = (await answer.json()) as { job: string }
  const lines = await api.itemList(collectionId, job)
  expect(lines.map(({ failure }) => failure?.message)).toEqual([
    undefined,
    'g\uFFFD does not exist: its name on disk may not be UTF-8, rename the file'
  ])
})

test('a packed list is one failed item that names the cause', async () => {
  expect(await importList(gzipSync('a.jpg\tx\n') as Buffer<ArrayBuffer>)).toEqual([
    ['line-1', 'invalid_list_line', null]
  ])
})

test('a folder that vanishes during the walk ends nothing', async () => {
  await write('a/1.jpg', 'b/2.jpg', 'c/3.jpg')
  const paths: string[] = []
  for await (const { path } of walkFolder(root)) {
    paths.push(path)
    await rm(join(root, 'b'), { recursive: true, force: true })
  }
  expect(paths).toEqual(['a/1.jpg', 'c/3.jpg'])
})

test('a field that is given twice, or that no form has, is refused by its name', async () => {
  const send = async (...fields: [string, string][]) => {
    const form = new FormData()
    for (const [name, value] of fields) form.append(name, value)
    const response = await api.fetch('/v1/collections/marks/imports', {
      method: 'POST',
      body: form
    })
    return [response.status, ((await response.json()) as { detail: string }).detail]
  }
  expect(await send(['root', root], ['root', root])).toEqual([400, 'field "root" is given twice'])
  expect(await send(['root', root], ['list', 'a.jpg'])).toEqual([
    400,
    'field list is sent as text: send it as a file'
  ])
  expect(await send(['root', root], ['__proto__', 'x'])).toEqual([400, 'unknown field "__proto__"'])
})
