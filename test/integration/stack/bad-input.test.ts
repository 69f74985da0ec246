// Tests bad input for the whole stack. Each bad picture, line and request gets its stable code, and
// all other input is indexed.
import { randomBytes } from 'node:crypto'
import { symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { ItemAnswer } from '@likeness/shared/contract/http/items'
import type { Problem } from '@likeness/shared/contract/http/problem'
import { sha256Hex } from '@likeness/shared/data/sha256'
import { checkCollection, type Oracle } from '../../support/check-collection.ts'
import { listOf, type LiveStack, plainSettings, startLiveStack } from '../../support/live-stack.ts'
import {
  corruptPng,
  heic,
  pixelBomb,
  svg,
  truncatedJpeg,
  unusual
} from '../../support/odd-pictures.ts'
import { pictureOf } from '../../support/pictures.ts'

const maxBytes = 300_000
const poisonSeed = 7_777
const html = '<img src=x onerror=alert(1)>"&'
let live: LiveStack

beforeAll(async () => {
  const hooks = { killOnSha256: [sha256Hex(await pictureOf(poisonSeed))] }
  live = await startLiveStack({
    hooks,
    embedProcesses: 2,
    env: { MAX_UPLOAD_BYTES: String(maxBytes) }
  })
})
afterAll(() => live?.stop())

const files: Record<string, () => Promise<Uint8Array> | Uint8Array> = {
  'odd/corrupt.png': () => corruptPng(1),
  'odd/empty.jpg': () => new Uint8Array(0),
  'odd/truncated.jpg': () => truncatedJpeg(2),
  'odd/too-large.png': () => randomBytes(maxBytes + 1),
  'odd/bomb.png': () => pixelBomb(10_000),
  'odd/drawing.svg': () => svg,
  'odd/photo.heic': () => heic,
  'odd/text.jpg': () => Buffer.from('This is a text, whatever its name says.\n'),
  'odd/no-label.png': () => pictureOf(3),
  'odd/animated.gif': () => unusual.animated(10),
  'odd/cmyk.jpg': () => unusual.cmyk(13),
  'odd/warned.jpg': () => unusual.warned(19),
  'odd/16-bit.png': () => unusual.sixteenBit(14),
  'odd/rotated.jpg': () => unusual.rotated(15),
  'odd/html.png': () => pictureOf(16),
  'odd/图片 目录/商标 一.png': () => pictureOf(18)
}
/** `path<TAB>label` and the error code of the line; null: the item is indexed. */
const lines: [string, string | null][] = [
  ['odd/corrupt.png\tbad', 'image_corrupt'],
  ['odd/empty.jpg\tbad', 'image_empty'],
  ['odd/truncated.jpg\tbad', 'image_truncated'],
  ['odd/too-large.png\tbad', 'too_large'],
  ['odd/bomb.png\tbad', 'image_too_many_pixels'],
  ['odd/drawing.svg\tbad', 'image_unsupported'],
  ['odd/photo.heic\tbad', 'image_unsupported'],
  ['odd/text.jpg\tbad', 'image_unsupported'],
  ['odd/no-label.png', 'missing_label'],
  ['../outside.png\tbad', 'path_outside_root'],
  ['/etc/passwd\tbad', 'path_outside_root'],
  ['odd/link-out.png\tbad', 'path_outside_root'],
  ['odd/not-there.png\tbad', 'image_missing'],
  ['odd\tbad', 'image_missing'],
  ['odd/animated.gif\tanimated', null],
  ['odd/cmyk.jpg\tcmyk', null],
  ['odd/warned.jpg\twarned', null],
  ['odd/16-bit.png\tsixteen bits', null],
  ['odd/rotated.jpg\trotated', null],
  [`odd/html.png\t${html}`, null],
  ['odd/图片 目录/商标 一.png\t标签 一', null]
]

async function storeOddFiles(): Promise<void> {
  for (const [path, make] of Object.entries(files)) await live.store(path, await make())
  await writeFile(join(live.dir, 'outside.png'), await pictureOf(4))
  await symlink(join(live.dir, 'outside.png'), join(live.root, 'odd/link-out.png'))
}

test('in one import each bad picture and line fails with its code and everything else arrives', async () => {
  const { api, root } = live
  await storeOddFiles()
  const good = await live.storeGallery('good', { first: 200, count: 40 })
  const text =
    lines.map(([line], i) => `${line}\n${listOf(good.slice(2 * i, 2 * i + 2))}`).join('') +
    listOf(good.slice(2 * lines.length))
  await api.create('odd', { settings: plainSettings })
  const { job } = await api.importList('odd', { root, list: text })
  const { counts, failed } = await api.finished(job)
  const bad = lines.filter(([, code]) => code !== null)
  expect(Object.fromEntries(failed.map(({ id, code }) => [id, code]))).toEqual(
    Object.fromEntries(bad.map(([line, code]) => [line.split('\t')[0], code]))
  )
  expect(failed.find(({ id }) => id === 'odd/photo.heic')!.message).toMatch(
    /HEIC.*convert it to JPEG/
  )
  expect(failed.every(({ message, line }) => message.length > 0 && line !== null)).toBe(true)
  expect(failed.map(({ line }) => text.split('\n')[line! - 1])).toEqual(bad.map(([line]) => line))
  expect(counts).toEqual({
    total: lines.length + 40,
    pending: 0,
    indexed: 47,
    superseded: 0,
    failed: bad.length
  })
  const oracle: Oracle = new Map(
    good.map(({ path, label }, i) => [path, { label, ...(i % 8 === 0 && { picture: undefined }) }])
  )
  for (const [line, code] of lines) {
    const [path, label] = line.split('\t') as [string, string]
    if (code === null) oracle.set(path, { label, picture: await files[path]!() })
    else if (!path.startsWith('..')) oracle.set(path, 'deleted')
  }
  await checkCollection(api, 'odd', oracle)
})

test('an EXIF-rotated picture is upright, and so is its thumbnail', async () => {
  const { api } = live
  const item = await api.item('odd', 'odd/rotated.jpg')
  expect(item.rows.map(({ box }) => box)).toEqual([[0, 0, 30, 60]])
  const thumbnail = await fetch(`${api.url}${item.thumbnail}?w=32`)
  expect(await sharp(Buffer.from(await thumbnail.arrayBuffer())).metadata()).toMatchObject({
    format: 'jpeg',
    width: 16,
    height: 32
  })
})

test('a label that is HTML is data: JSON that no browser renders', async () => {
  const { headers, body } = await live.api.askItem('odd', 'odd/html.png')
  expect((body as ItemAnswer).label).toBe(html)
  expect(headers.get('content-type')).toContain('application/json')
  expect(headers.get('x-content-type-options')).toBe('nosniff')
})

test('a query in a format that is not read is told what it is and what to do', async () => {
  const form = new FormData()
  form.append('image', new Blob([heic]), 'photo.jpg')
  const response = await fetch(`${live.api.url}/v1/collections/odd/search`, {
    method: 'POST',
    body: form
  })
  expect(await response.json()).toMatchObject({
    status: 415,
    code: 'image_unsupported',
    detail: expect.stringMatching(/HEIC.*convert it to JPEG/) as string
  })
})

test('a class that the model lacks is refused by name, with one near it', async () => {
  const body = { name: 'classes', settings: { classes: ['Bright', 'dark'] } }
  const response = await fetch(`${live.api.url}/v1/collections`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  expect(await response.json()).toMatchObject({
    code: 'invalid_request',
    detail: expect.stringContaining('no class "Bright"; near it: bright') as string
  })
})

test('a file that is too large is refused as an upload too', async () => {
  const form = new FormData()
  form.append('image', new Blob([randomBytes(maxBytes + 1)]), 'large.png')
  expect(await codeOf('/v1/collections/odd/images', { body: form })).toEqual([413, 'too_large'])
})

const vector = (value: unknown) => Array.from({ length: 64 }, (_, i) => (i === 5 ? value : 0.1))
const search = '/v1/collections/odd/search'
test.each<[string, string, object, number, string]>([
  [
    'a vector of a wrong dimension',
    search,
    { body: { vector: [1, 2, 3] } },
    400,
    'dimension_mismatch'
  ],
  [
    'a vector with NaN',
    search,
    { body: JSON.stringify({ vector: vector('NaN') }).replace('"NaN"', 'NaN') },
    400,
    'invalid_vector'
  ],
  ['a vector with null', search, { body: { vector: vector(null) } }, 400, 'invalid_vector'],
  [
    'a vector with a number too large for 32 bits',
    search,
    { body: { vector: vector(1e300) } },
    400,
    'invalid_vector'
  ],
  [
    'a vector of zeros',
    search,
    { body: { vector: Array.from({ length: 64 }, () => 0) } },
    400,
    'invalid_vector'
  ],
  ['k = 0', search, { body: { vector: vector(1), k: 0 } }, 400, 'invalid_request'],
  ['k = 10^9', search, { body: { vector: vector(1), k: 1e9 } }, 400, 'invalid_request'],
  [
    'an unknown collection',
    '/v1/collections/nothing/search',
    { body: { vector: vector(1) } },
    404,
    'collection_not_found'
  ],
  ['an unknown item', '/v1/collections/odd/items/nothing', {}, 404, 'item_not_found'],
  ['an unknown job', '/v1/jobs/01HZZZZZZZZZZZZZZZZZZZZZZZ', {}, 404, 'job_not_found'],
  [
    'a second collection of the same name',
    '/v1/collections',
    { body: { name: 'odd' } },
    409,
    'collection_exists'
  ],
  [
    'a name that leaves its folder',
    '/v1/collections',
    { body: { name: '../odd' } },
    400,
    'invalid_name'
  ],
  [
    'a folder outside the roots',
    '/v1/collections/odd/imports',
    { body: { root: '/etc' } },
    400,
    'path_outside_root'
  ],
  [
    'a prefix of the engine',
    '/v1/collections/odd/imports',
    { body: { prefix: 'c/' } },
    403,
    'forbidden_prefix'
  ],
  [
    'another Origin',
    '/v1/collections',
    { method: 'GET', headers: { origin: 'http://evil.example' } },
    403,
    'forbidden_origin'
  ],
  [
    'a change from another Origin',
    '/v1/collections/odd',
    { method: 'DELETE', headers: { origin: 'http://evil.example' } },
    403,
    'forbidden_origin'
  ]
])('%s is refused by name', async (_, ...[path, options, status, code]) => {
  expect(await codeOf(path, options)).toEqual([status, code])
})

async function codeOf(path: string, options: object): Promise<[number, string]> {
  const { status, headers, body } = await live.api.ask(path, options)
  expect(headers.get('content-type')).toContain('application/problem+json')
  return [status, (body as Problem).code]
}

test('of 300 pictures with one that kills its process every time, 299 arrive and one fails with its code', async () => {
  const { api, root } = live
  const entries = await live.storeGallery('poison', { first: 5_000, count: 300 })
  const poison = entries[123]!.path
  await live.store(poison, await pictureOf(poisonSeed))
  await api.create('poison', { settings: plainSettings })
  const { counts, failed } = await api.finished(
    (await api.importList('poison', { root, list: listOf(entries) })).job
  )
  expect(failed.map(({ id, line, code }) => ({ id, line, code }))).toEqual([
    { id: poison, line: 124, code: 'image_kills_worker' }
  ])
  expect(counts).toEqual({ total: 300, pending: 0, indexed: 299, superseded: 0, failed: 1 })
  await checkCollection(
    api,
    'poison',
    new Map(entries.map(({ path, label }) => [path, path === poison ? 'deleted' : { label }]))
  )
  // The same stack still embeds and answers.
  const { hits } = await api.searchPicture('poison', await pictureOf(5_007), { k: '1' })
  expect(hits[0]!.label).toBe('mark 5007')
})
