import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { collectionKeys } from '@likeness/shared/contract/keys'
import { appError } from '@likeness/shared/errors'
import { codeOf, startTestApi, type TestApi } from '../test-support/start-test-api.ts'

let api: TestApi
let collectionId: string
let root: string
beforeEach(async () => {
  api = await startTestApi()
  collectionId = await api.createMarks()
  root = join(api.dir, 'import')
})
afterEach(() => api.stop())

const path = '/v1/collections/marks/imports'
const write = async (name: string, text: string) => {
  await mkdir(join(root, name, '..'), { recursive: true })
  await writeFile(join(root, name), text)
}
const importList = (
  list: string | Buffer<ArrayBuffer>,
  fields: Record<string, string>,
  headers: Record<string, string> = {}
) => {
  const form = new FormData()
  form.append('list', new Blob([list]), 'list.tsv')
  for (const [name, value] of Object.entries(fields)) form.append(name, value)
  return api.fetch(path, { method: 'POST', body: form, headers })
}
const linesOf = async (response: Response) => {
  expect(response.status).toBe(202)
  return api.itemList(collectionId, ((await response.json()) as { job: string }).job)
}
const bytesOf = async (key: string | null) =>
  key === null ? null : Buffer.from((await api.store.get(key))!.body).toString()

test('a folder is copied, recursively, its first sub-folders are labels, dot files stay', async () => {
  await write('nike/a.png', 'A')
  await write('nike/old/b.png', 'B')
  await write('loose.jpg', 'C')
  await write('.hidden/d.png', 'D')
  await write('nike/.DS_Store', 'E')
  const lines = await linesOf(await api.post(path, { root }))
  expect(lines.map(({ id, label }) => [id, label])).toEqual([
    ['loose.jpg', null],
    ['nike/a.png', 'nike'],
    ['nike/old/b.png', 'nike']
  ])
  expect(await Promise.all(lines.map(({ imageKey }) => bytesOf(imageKey)))).toEqual(['C', 'A', 'B'])
  expect(
    (await linesOf(await api.post(path, { root, label: 'none' }))).map(({ label }) => label)
  ).toEqual([null, null, null])
})

test('a symlink that leads out fails its item, one that stays inside does not, a folder link ends', async () => {
  await writeFile(join(api.dir, 'outside.png'), 'secret')
  await write('a/real.png', 'A')
  await symlink(join(api.dir, 'outside.png'), join(root, 'a/out.png'))
  await symlink(join(root, 'a/real.png'), join(root, 'a/in.png'))
  await symlink('nowhere', join(root, 'a/broken.png'))
  await symlink('..', join(root, 'a/loop'))
  const lines = await linesOf(await api.post(path, { root }))
  expect(lines.map(({ id, failure }) => [id, failure?.code])).toEqual([
    ['a/broken.png', 'image_missing'],
    ['a/in.png', undefined],
    ['a/out.png', 'path_outside_root'],
    ['a/real.png', undefined]
  ])
  expect(lines[2]!.imageKey).toBeNull()
  expect(await bytesOf(lines[1]!.imageKey)).toBe('A')
})

test('a list brings its labels and ids; each bad line fails alone, with its code and line', async () => {
  await writeFile(join(api.dir, 'outside.png'), 'secret')
  await symlink(api.dir, join(root, 'up'))
  await write('a.png', 'A')
  await write('b c.png', 'B')
  await write('big.png', 'x'.repeat(1001))
  const list =
    '\uFEFFa.png\tnike\r\n\r\nb c.png\tadidas\tmy-id\nno-label.png\nblank.png\t  \n../outside.png\tout\nup/outside.png\tlink\n/etc/passwd\tabs\ngone.png\tmissing\nbig.png\tbig\n\tno path\na.png\tx\ty\tz\nup\tfolder\na.png\t<script>alert(1)</script>\n../not-there.png\tout'
  const lines = await linesOf(await importList(list, { root }))
  expect(lines.map(({ line, id, label, failure }) => [line, id, label, failure?.code])).toEqual([
    [1, 'a.png', 'nike', undefined],
    [3, 'my-id', 'adidas', undefined],
    [4, 'no-label.png', null, 'missing_label'],
    [5, 'blank.png', null, 'missing_label'],
    [6, '../outside.png', 'out', 'path_outside_root'],
    [7, 'up/outside.png', 'link', 'path_outside_root'],
    [8, '/etc/passwd', 'abs', 'path_outside_root'],
    [9, 'gone.png', 'missing', 'image_missing'],
    [10, 'big.png', 'big', 'too_large'],
    [11, 'line-11', null, 'invalid_list_line'],
    [12, 'y', null, 'invalid_list_line'],
    [13, 'up', 'folder', 'path_outside_root'],
    [14, 'a.png', '<script>alert(1)</script>', undefined],
    // The answer does not say which files exist outside the root.
    [15, '../not-there.png', 'out', 'path_outside_root']
  ])
  expect(await Promise.all(lines.map(({ imageKey }) => bytesOf(imageKey)))).toEqual([
    'A',
    'B',
    ...Array.from({ length: 10 }, () => null),
    'A',
    null
  ])
  expect(await api.keys(collectionKeys(collectionId).imagePrefix)).toHaveLength(3)
  await expect.poll(() => api.spooled()).toEqual([])
  expect(JSON.stringify(lines)).not.toContain('secret')
})

test('large files are copied as they are, up to the limit', async () => {
  await api.stop()
  api = await startTestApi({ settings: { maxUploadBytes: 3 * 2 ** 20 } })
  collectionId = await api.createMarks()
  root = join(api.dir, 'import')
  const sizes = [2 ** 20, 2 ** 20 + 1, 3 * 2 ** 20, 3 * 2 ** 20 + 1]
  for (const [i, size] of sizes.entries()) await write(`${i}.png`, String(i).repeat(size))
  const lines = await linesOf(await api.post(path, { root }))
  expect(lines.map(({ id, failure }) => [id, failure?.code])).toEqual([
    ['0.png', undefined],
    ['1.png', undefined],
    ['2.png', undefined],
    ['3.png', 'too_large']
  ])
  const copied = await Promise.all(lines.map(({ imageKey }) => bytesOf(imageKey)))
  expect(copied.map((text, i) => text === String(i).repeat(sizes[i]!))).toEqual([
    true,
    true,
    true,
    false
  ])
})

test('a list of many lines keeps ordinals and goes into many parts', async () => {
  await write('a.png', 'A')
  const lines = await linesOf(await importList('a.png\tnike\n'.repeat(950), { root }))
  expect(lines.map(({ ordinal }) => ordinal)).toEqual(Array.from({ length: 950 }, (_, i) => i))
  expect(lines.at(-1)!.line).toBe(950)
})

test('a prefix refers to objects in place', async () => {
  for (const key of ['logos/nike/a.png', 'logos/b.png', 'logos2/c.png'])
    await api.store.put(key, Buffer.from(key))
  await api.store.put('logos/nike/big.png', Buffer.alloc(1001))
  const lines = await linesOf(await api.post(path, { prefix: 'logos' }))
  expect(
    lines.map(({ id, label, imageKey, failure }) => [id, label, imageKey, failure?.code])
  ).toEqual([
    ['logos/b.png', null, 'logos/b.png', undefined],
    ['logos/nike/a.png', 'nike', 'logos/nike/a.png', undefined],
    ['logos/nike/big.png', 'nike', null, 'too_large']
  ])
  const listed = await linesOf(
    await importList(`nike/a.png\tswoosh\n../c/x\tout\n${'n'.repeat(255)}\tbad\nb.png\tb\tid-b\n`, {
      prefix: 'logos/'
    })
  )
  expect(
    listed.map(({ id, label, imageKey, failure }) => [id, label, imageKey, failure?.code])
  ).toEqual([
    ['logos/nike/a.png', 'swoosh', 'logos/nike/a.png', undefined],
    ['../c/x', 'out', null, 'path_outside_root'],
    ['n'.repeat(255), 'bad', null, 'invalid_key'],
    ['id-b', 'b', 'logos/b.png', undefined]
  ])
})

test.each(['c', 'c/', 'c/01ARZ3NDEKTSV4RRFFQ69G5FAV/img', 'catalog', 'jobs/', 'idem', 'probe/x'])(
  'the prefix %s belongs to the engine',
  async (prefix) => {
    expect(await codeOf(await api.post(path, { prefix }))).toBe('403 forbidden_prefix')
  }
)

test.each([
  [{ prefix: '../x' }, '400 invalid_key'],
  [{ prefix: '/' }, '400 invalid_key'],
  [{ prefix: 'nothing-here' }, '400 invalid_request'],
  [{}, '400 invalid_request'],
  [{ prefix: 'a', root: '/b' }, '400 invalid_request'],
  [{ root: 'relative' }, '400 path_outside_root'],
  [{ root: '/' }, '400 path_outside_root'],
  [{ root: '/etc' }, '400 path_outside_root'],
  [{ root: '/does-not-exist' }, '400 path_outside_root'],
  [{ root: '/etc/\0' }, '400 path_outside_root']
])('%j is %s', async (body, code) => {
  expect(await codeOf(await api.post(path, body))).toBe(code)
})

test('a root must be a folder inside an import root, also through symlinks', async () => {
  const outside = join(api.dir, 'import-not')
  await mkdir(outside)
  await symlink(outside, join(root, 'way-out'))
  await write('file.png', 'A')
  expect(await codeOf(await api.post(path, { root: outside }))).toBe('400 path_outside_root')
  expect(await codeOf(await api.post(path, { root: join(root, '..') }))).toBe(
    '400 path_outside_root'
  )
  expect(await codeOf(await api.post(path, { root: join(root, 'way-out') }))).toBe(
    '400 path_outside_root'
  )
  expect(await codeOf(await api.post(path, { root: join(root, 'gone') }))).toBe(
    '404 object_not_found'
  )
  expect(await codeOf(await api.post(path, { root: join(root, 'file.png') }))).toBe(
    '400 invalid_request'
  )
})

test('an empty list, a list without a place and a foreign file field are invalid_request', async () => {
  expect(await codeOf(await importList('\n\r\n', { root }))).toBe('400 invalid_request')
  expect(await codeOf(await importList('a\tb', {}))).toBe('400 invalid_request')
  const form = new FormData()
  form.append('archive', new Blob(['x']), 'a.zip')
  expect(await codeOf(await api.fetch(path, { method: 'POST', body: form }))).toBe(
    '400 invalid_request'
  )
  await expect.poll(() => api.spooled()).toEqual([])
  expect(await api.operations(collectionId)).toEqual([])
})

test('when the store fails in the middle nothing is accepted and what was copied goes', async () => {
  for (let i = 0; i < 30; i++) await write(`${i}.png`, String(i))
  const { put } = api.store
  let copies = 0
  api.store.put = async (...args) => {
    if (args[0].startsWith(collectionKeys(collectionId).imagePrefix) && ++copies === 20)
      throw appError('store_unavailable', 'the store is away')
    return put(...args)
  }
  expect(await codeOf(await api.post(path, { root }))).toBe('503 store_unavailable')
  expect(await api.operations(collectionId)).toEqual([])
  expect(await api.keys(collectionKeys(collectionId).imagePrefix)).toEqual([])
})

test('the same import with the same Idempotency-Key is one job, with another list a mismatch', async () => {
  await write('a.png', 'A')
  const headers = { 'idempotency-key': 'once' }
  const first = await (await importList('a.png\tnike', { root }, headers)).json()
  const again = await importList('a.png\tnike', { root }, headers)
  expect(again.headers.get('idempotent-replay')).toBe('true')
  expect(await again.json()).toEqual(first)
  expect(await codeOf(await importList('a.png\tadidas', { root }, headers))).toBe(
    '422 idempotency_mismatch'
  )
  expect(await api.operations(collectionId)).toHaveLength(1)
  expect(await api.keys(collectionKeys(collectionId).imagePrefix)).toHaveLength(1)
})

test('an NDJSON list brings metadata, ids and line numbers of its own, and failures that the sender knows', async () => {
  await write('a b.png', 'A')
  const ndjson = [
    { path: 'a b.png', label: 'A', id: 'first', metadata: { camera: 'c1', year: 2020 }, line: 7 },
    { path: 'a b.png', label: null },
    { path: 'bad', line: 9, failure: { code: 'missing_label', message: 'line 9: no label' } },
    { path: '../../etc/passwd', label: 'x' },
    { path: 'a b.png', label: 7 }
  ]
  const form = new FormData()
  form.append(
    'list',
    new Blob([`\uFEFF${ndjson.map((line) => JSON.stringify(line)).join('\r\n')}\n{"path":\n\n`], {
      type: 'application/x-ndjson'
    }),
    'list'
  )
  form.append('root', root)
  const lines = await linesOf(await api.fetch(path, { method: 'POST', body: form }))
  expect(
    lines.map(({ id, label, metadata, line, failure }) => ({
      id,
      label,
      metadata,
      line,
      code: failure?.code
    }))
  ).toEqual([
    { id: 'first', label: 'A', metadata: { camera: 'c1', year: 2020 }, line: 7, code: undefined },
    { id: 'a b.png', label: null, metadata: undefined, line: 2, code: undefined },
    { id: 'bad', label: null, metadata: undefined, line: 9, code: 'missing_label' },
    { id: '../../etc/passwd', label: 'x', metadata: undefined, line: 4, code: 'path_outside_root' },
    { id: 'line-5', label: null, metadata: undefined, line: 5, code: 'invalid_list_line' },
    { id: 'line-6', label: null, metadata: undefined, line: 6, code: 'invalid_list_line' }
  ])
  expect(await bytesOf(lines[0]!.imageKey)).toBe('A')
  expect(lines[2]!.failure!.message).toBe('line 9: no label')
})
