import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import type { ApiClient } from '../api/api-client.ts'
import type { GalleryConfig } from '../gallery-config/load-gallery-config.ts'
import { removeItems } from './remove-items.ts'

/** A gallery with items, and a list of what to remove. Returns the items that stay. */
async function remove(items: string[], list: string, pictures: string[] = []) {
  const dir = temporaryFolder('remove')
  const imageRoot = join(dir, 'images')
  mkdirSync(imageRoot)
  for (const path of pictures) writeFileSync(join(imageRoot, path), '')
  writeFileSync(join(dir, 'list.txt'), list.replaceAll('ROOT', imageRoot))
  const left = new Set(items)
  const api = {
    getCollection: async () => ({ name: 'c', incarnation: 'i' }),
    getItem: async (_collection: string, id: string) => (left.has(id) ? { id } : undefined),
    deleteItems: async (_collection: string, ids: readonly string[]) => {
      for (const id of ids) left.delete(id)
    }
  } as unknown as ApiClient
  const summary = await removeItems({
    api,
    config: {
      file: 'g.yaml',
      collection: 'c',
      indexDir: join(dir, 'index'),
      dataFile: join(dir, 'list.txt'),
      imageRoot,
      delimiter: undefined,
      fields: [] as string[]
    } as GalleryConfig,
    progress: { show: () => {}, done: () => {} },
    total: 0
  })
  expect(readFileSync(join(dir, 'list.txt'), 'utf8')).not.toBe('')
  return { ...summary, left: [...left] }
}

test('an item is removed whichever way the list writes its path', async () => {
  const { left, removed, failures } = await remove(
    ['0/0.jpg', '0/1.jpg', '0/2.jpg', '0/3.jpg', 'caf\u00e9.jpg', 'stays.jpg'],
    './0/0.jpg\tx\n0//1.jpg\tx\nROOT/0/2.jpg\tx\n0\\3.jpg\tx\ncafe\u0301.jpg\tx\n'
  )
  expect([left, removed, failures]).toEqual([['stays.jpg'], 5, []])
})

test('the items that an earlier version made of one picture all go, and the line counts once', async () => {
  const { left, removed, listed } = await remove(
    ['./0/0.jpg', '0/0.jpg', '0//0.jpg', '0/1.jpg'],
    './0/0.jpg\tzero\n0/0.jpg\tzero\n0//0.jpg\tother\n'
  )
  expect([left, removed, listed]).toEqual([['0/1.jpg'], 2, 2])
  const same = await remove(
    ['./0/0.jpg', '0/0.jpg', '0//0.jpg'],
    './0/0.jpg\tzero\n0/0.jpg\tzero\n0//0.jpg\tzero\n'
  )
  expect([same.left, same.removed, same.listed]).toEqual([[], 1, 1])
})

test('a picture whose name only looks the same stays', async () => {
  const [nfc, nfd] = ['caf\u00e9.jpg', 'cafe\u0301.jpg']
  const pictures = [nfc, nfd, '0\\0.jpg']
  const { left, removed } = await remove(
    [...pictures, '0/0.jpg'],
    `${nfd}\tx\n0\\0.jpg\ty\n`,
    pictures
  )
  expect([left, removed]).toEqual([[nfc, '0/0.jpg'], 2])
})

test('what the gallery does not hold is a failure with its line', async () => {
  const { left, failures } = await remove(['a.jpg'], 'b.jpg\tx\na.jpg\tx\n../a.jpg\tx\n')
  expect(left).toEqual([])
  expect(failures.map(({ line, code }) => [line, code])).toEqual([
    [1, 'item_not_found'],
    [3, 'item_not_found']
  ])
})
