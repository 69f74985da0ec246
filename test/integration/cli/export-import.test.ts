// Tests export of a gallery as a plain Faiss index and import with the real program: with the
// vectors, from the pictures, or refused.
import { existsSync } from 'node:fs'
import { copyFile, mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Finished, type Home, openHome, unmodifiedYaml } from './likeness.ts'

const yaml = unmodifiedYaml
  .replace('embedding_size: 512', 'embedding_size: 64')
  .replace('score_thres: 0.7', 'score_thres: "None"')
const seeds = [0, 1, 2, 3, 4, 5]
const pathOf = (seed: number): string => `set ${seed % 3}/${seed}.jpg`

let home: Home
let folder: string
const run = (...args: string[]): Promise<Finished> => home.run(folder, ...args)
const itemsOf = async (name: string): Promise<unknown> => {
  const { collections } = (await run('status', '--json')).json() as {
    collections: { name: string; items: number }[]
  }
  return collections.find((collection) => collection.name === name)?.items
}

beforeAll(async () => {
  home = await openHome()
  const list = seeds.map((seed) => `${pathOf(seed)} label of ${seed}\n`).join('')
  folder = await home.folder(
    'shop',
    { 'product.yaml': yaml, 'product_data.txt': list },
    Object.fromEntries(seeds.map((seed) => [`product_images/${pathOf(seed)}`, seed]))
  )
  await run('up', '--port', '0', '--import', '.')
  expect((await run('build', '-c', 'product.yaml')).code).toBe(0)
  const exported = await run('export', '-c', 'product.yaml', '--json')
  expect([exported.code, exported.json()], exported.stderr).toEqual([
    0,
    expect.objectContaining({ items: seeds.length })
  ])
  // A gallery of PP-ShiTu: an index and a pickle. They do not tell which model computed the
  // vectors.
  await mkdir(join(folder, 'pp-shitu'))
  for (const name of ['vector.index', 'id_map.pkl'])
    await copyFile(join(folder, 'product_gallery/index', name), join(folder, 'pp-shitu', name))
})
afterAll(async () => {
  await run('down')
})

test('an export comes back with its vectors, once, and answers as the gallery does', async () => {
  const back = await run(
    'import-gallery',
    'product_gallery/index',
    '--collection',
    'again',
    '--json'
  )
  expect([back.code, back.json()], back.stderr).toEqual([
    0,
    expect.objectContaining({ total: seeds.length, indexed: seeds.length, failed: 0 })
  ])
  expect(back.stderr).toContain('its vectors are those of')
  expect(
    (await run('import-gallery', 'product_gallery/index', '--collection', 'again', '--json')).json()
  ).toMatchObject({ wasDone: true })
  expect(await itemsOf('again')).toBe(seeds.length)
})

test('vectors that nobody vouches for are embedded anew from the pictures that the map names', async () => {
  const refused = await run('import-gallery', 'pp-shitu', '--collection', 'anew')
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringContaining('--image-root DIR is missing')
  ])
  const built = await run(
    'import-gallery',
    'pp-shitu',
    '--collection',
    'anew',
    '--image-root',
    'product_images',
    '--json'
  )
  expect([built.code, built.json()], built.stderr).toEqual([
    0,
    expect.objectContaining({ indexed: seeds.length, failed: 0 })
  ])
  expect(built.stderr).toContain('nothing says which embedding made its vectors')
})

test('vectors of an embedding that the user names are taken as they are, and a build into their collection is refused', async () => {
  await writeFile(join(folder, 'other.yaml'), yaml.replace('./product_gallery/index', './other'))
  const taken = await run(
    'import-gallery',
    'pp-shitu',
    '-c',
    'other.yaml',
    '--embedding',
    'pp-lcnet@2',
    '--json'
  )
  expect([taken.code, taken.json()], taken.stderr).toEqual([
    0,
    expect.objectContaining({ indexed: seeds.length })
  ])
  const refused = await run('build', '-c', 'other.yaml')
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/index_dir .*other belongs to the embedding pp-lcnet@2, not to /)
  ])
  expect(await itemsOf(taken.json().collection as string)).toBe(seeds.length)
})

test('an id map that would run code is refused by opcode and place, and nothing is made', async () => {
  await mkdir(join(folder, 'evil'))
  await copyFile(join(folder, 'pp-shitu/vector.index'), join(folder, 'evil/vector.index'))
  await writeFile(join(folder, 'evil/id_map.pkl'), 'cposix\nsystem\n(Vtouch ran\ntR.')
  const refused = await run(
    'import-gallery',
    'evil',
    '--collection',
    'evil',
    '--image-root',
    'product_images'
  )
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/id_map\.pkl: at offset 0 opcode GLOBAL names posix\.system/)
  ])
  expect(existsSync(join(folder, 'ran'))).toBe(false)
  expect(await itemsOf('evil')).toBeUndefined()
})

test('a second name moves from one collection to another, only from where it was expected; a rebuild changes nothing', async () => {
  expect((await run('alias', 'live', 'again')).stdout).toBe('live  again\n')
  const refused = await run('alias', 'live', 'anew', '--expected', 'anew')
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining('alias_moved')])
  expect((await run('alias', 'live', 'anew', '--expected', 'again', '--json')).json()).toEqual({
    aliases: [{ alias: 'live', collection: 'anew' }]
  })
  const rebuilt = await run('rebuild', 'live', '--json')
  expect([rebuilt.code, rebuilt.json()], rebuilt.stderr).toEqual([
    0,
    { collection: 'live', rebuilt: true, revision: expect.any(Number), seq: expect.any(Number) }
  ])
  expect(await itemsOf('anew')).toBe(seeds.length)
  expect(await run('alias', 'live', '--remove')).toMatchObject({ code: 0, stdout: '' })
})
