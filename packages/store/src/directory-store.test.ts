import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  truncate,
  utimes,
  writeFile
} from 'node:fs/promises'
import path from 'node:path'
import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { cleanDirectory } from './directory-cleanup.ts'
import { directoryPaths, segmentOf } from './directory-paths.ts'
import { openDirectoryStore } from './directory-store.ts'
import type { ObjectStore } from './object-store.ts'

const bytes = (text: string) => Buffer.from(text)

let root = ''
let store: ObjectStore
beforeEach(async () => {
  root = temporaryFolder('directory')
  store = await openDirectoryStore({ root, listWindow: 3 })
})
afterEach(async () => {
  await store.close()
})

async function keys(prefix = '', startAfter = ''): Promise<string[]> {
  const found: string[] = []
  for await (const info of store.list(prefix, { startAfter })) found.push(info.key)
  return found
}

async function textOf(key: string): Promise<string> {
  return Buffer.from((await store.get(key))?.body ?? []).toString()
}

it('lists directories that are larger than its window, in order', async () => {
  const names = Array.from({ length: 40 }, (_, i) =>
    i % 4 === 0 ? `d${i}/x` : `${i}${'-./0'[i % 4]}y`
  )
  for (const name of names) await store.put(name, bytes(name))
  const inOrder = [...names].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  expect(await keys()).toEqual(inOrder)
  expect(await keys('', inOrder[17])).toEqual(inOrder.slice(18))
})

it('keeps the bytes at the start of the file, so that other programs can open pictures', async () => {
  await store.put('pictures/cat.jpg', bytes('JPEG bytes'))
  const file = await readFile(path.join(root, 'objects/pictures~/cat.jpg'))
  expect(file.subarray(0, 10).toString()).toBe('JPEG bytes')
})

it('never gives two keys one file', () => {
  const paths = directoryPaths('/r')
  const odd = ['a', 'a~', 'a~=', 'a~==', 'a=', '~', '=', '~~', 'a~b']
  expect(new Set(odd.map((key) => paths.object(key))).size).toBe(odd.length)
  for (const key of odd) expect(segmentOf(path.basename(paths.object(key)))).toBe(key)
})

it('says data_corrupt when a bit of what it wrote behind the body flips: another id would lead to an older version', async () => {
  const { etag } = await store.put('CURRENT', bytes('first'))
  await store.putIf('CURRENT', bytes('second'), { ifMatch: etag })
  const file = path.join(root, 'objects/CURRENT')
  const whole = await readFile(file)
  for (let at = whole.length - 32; at < whole.length; at++) {
    const flipped = Buffer.from(whole)
    flipped[at]! ^= 1 << (at % 8)
    await writeFile(file, flipped)
    await expect(store.get('CURRENT')).rejects.toMatchObject({ code: 'data_corrupt' })
  }
  await writeFile(file, whole)
  expect(await textOf('CURRENT')).toBe('second')
})

it('says data_corrupt for a file that is cut short or was not written by it, and lists it still', async () => {
  await store.put('cut', bytes('some bytes'))
  await truncate(path.join(root, 'objects/cut'), 20)
  await writeFile(path.join(root, 'objects/foreign'), 'hello')
  for (const key of ['cut', 'foreign']) {
    await expect(store.get(key)).rejects.toMatchObject({ code: 'data_corrupt' })
    expect(await store.putIf(key, bytes('x'), { create: true })).toBeUndefined()
  }
  expect(await keys()).toEqual(['cut', 'foreign'])
  await store.delete(['cut', 'foreign'])
  expect(await keys()).toEqual([])
})

it('answers store_unavailable with the cause when the disk refuses', async () => {
  await rm(path.join(root, 'tmp'), { recursive: true })
  const refusal = { code: 'store_unavailable', retryable: true, cause: { code: 'ENOENT' } }
  await expect(store.put('a', bytes('x'))).rejects.toMatchObject(refusal)
  await expect(store.putIf('a', bytes('x'), { create: true })).rejects.toMatchObject(refusal)
  await expect(
    store.putStream('a', Readable.from([bytes('x')]), { maxBytes: 9 })
  ).rejects.toMatchObject(refusal)
  await mkdir(path.join(root, 'tmp'))
})

it('does not open below a file or in a folder of another format', async () => {
  await writeFile(path.join(root, 'file'), '')
  await expect(openDirectoryStore({ root: path.join(root, 'file') })).rejects.toMatchObject({
    code: 'store_unavailable'
  })
  await writeFile(path.join(root, 'format'), 'something else 9')
  await expect(openDirectoryStore({ root })).rejects.toMatchObject({ code: 'unsupported_store' })
})

const isRoot = process.getuid?.() === 0
const whyNot = isRoot ? ' (NOT RUN: root may write everywhere)' : ''
it.skipIf(isRoot)(`answers store_unavailable when it may not write${whyNot}`, async () => {
  await chmod(path.join(root, 'tmp'), 0o500)
  await expect(store.put('a', bytes('x'))).rejects.toMatchObject({
    code: 'store_unavailable',
    cause: { code: 'EACCES' }
  })
  await chmod(path.join(root, 'tmp'), 0o700)
})

it('removes directories that a deletion leaves empty', async () => {
  await store.put('a/b/c/d', bytes('x'))
  await store.put('a/e', bytes('x'))
  await store.delete(['a/b/c/d'])
  expect(await readdir(path.join(root, 'objects/a~'))).toEqual(['e'])
})

it('sweeps old temporary files and versions of objects that are gone, and nothing else', async () => {
  const paths = directoryPaths(root)
  await writeFile(path.join(paths.tmp, 'old'), '')
  await utimes(path.join(paths.tmp, 'old'), 1, 1)
  await writeFile(path.join(paths.tmp, 'young'), '')
  for (const key of ['kept', 'deleted', 'overwritten']) {
    const { etag } = await store.put(key, bytes('1'))
    await store.putIf(key, bytes('2'), { ifMatch: etag })
  }
  await store.delete(['deleted'])
  await store.put('overwritten', bytes('3'))
  expect(await readdir(paths.versions)).toHaveLength(3)
  await cleanDirectory(paths, 3_600_000)
  expect(await readdir(paths.versions)).toHaveLength(1)
  expect(await readdir(paths.tmp)).toContain('young')
  expect(await readdir(paths.tmp)).not.toContain('old')
  expect(await textOf('kept')).toBe('2')
  expect(await textOf('overwritten')).toBe('3')
})

it('a stop does not wait for the sweep of many versions', async () => {
  const paths = directoryPaths(root)
  for (let i = 0; i < 40; i++) {
    const { etag } = await store.put(`k-${i}`, bytes('1'))
    await store.putIf(`k-${i}`, bytes('2'), { ifMatch: etag })
  }
  await store.delete(Array.from({ length: 40 }, (_, i) => `k-${i}`))
  const stopping = new AbortController()
  const sweeping = cleanDirectory(paths, 3_600_000, stopping.signal)
  stopping.abort()
  await sweeping
  expect((await readdir(paths.versions)).length).toBeGreaterThan(38)
  await (await openDirectoryStore({ root })).close()
  expect((await readdir(paths.versions)).length).toBeGreaterThan(0)
  await cleanDirectory(paths, 3_600_000)
  expect(await readdir(paths.versions)).toEqual([])
})

it('keeps few old bodies of a key that is replaced without end', async () => {
  let { etag } = await store.put('counter', bytes('0'))
  for (let i = 1; i <= 200; i++) {
    etag = (await store.putIf('counter', bytes(`${i}`), { ifMatch: etag }))?.etag ?? ''
    await ageVersions()
  }
  const [chain = ''] = await readdir(path.join(root, 'versions'))
  const [directory = ''] = (await readdir(path.join(root, 'versions', chain))).filter(
    (name) => name !== 'key'
  )
  expect((await readdir(path.join(root, 'versions', chain, directory))).length).toBeLessThan(40)
  expect(await textOf('counter')).toBe('200')

  async function ageVersions() {
    const [chain = ''] = await readdir(path.join(root, 'versions'))
    const [directory = ''] = (await readdir(path.join(root, 'versions', chain))).filter(
      (name) => name !== 'key'
    )
    const folder = path.join(root, 'versions', chain, directory)
    for (const name of await readdir(folder)) await utimes(path.join(folder, name), 1, 1)
  }
})

it('follows the chain of versions although its directory lost its newest name, as after a power cut', async () => {
  const { etag } = await store.put('counter', bytes('0'))
  const first = await store.putIf('counter', bytes('1'), { ifMatch: etag })
  const [chain = ''] = await readdir(path.join(root, 'versions'))
  const folder = path.join(root, 'versions', chain)
  const oldName = `1-${first?.etag}-${etag}`
  await store.putIf('counter', bytes('2'), { ifMatch: first?.etag ?? '' })
  const [newName = ''] = (await readdir(folder)).filter((name) => name !== 'key')
  expect(newName).not.toBe(oldName)
  await rename(path.join(folder, newName), path.join(folder, oldName))
  expect(await textOf('counter')).toBe('2')
})
