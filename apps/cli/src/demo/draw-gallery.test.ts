import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { drawGallery, readList } from './draw-gallery.ts'

test('marks are drawn once, some with transparency, and listed with their labels', async () => {
  const folder = join(temporaryFolder('marks'), 'marks')
  const gallery = await drawGallery({ folder, count: 12 })
  expect(gallery.pictures).toHaveLength(12)
  expect(readList(await readFile(gallery.listFile, 'utf8'))).toEqual(gallery.pictures)
  const files = gallery.pictures.map(({ path }) => join(folder, path))
  const metadata = await Promise.all(files.map((file) => sharp(file).metadata()))
  expect(metadata.map(({ width, height }) => Math.max(width, height))).toEqual(Array(12).fill(224))
  expect(metadata.some(({ hasAlpha }) => hasAlpha)).toBe(true)

  const drawnMs = (await stat(files[0]!)).mtimeMs
  expect(await drawGallery({ folder, count: 12 })).toEqual(gallery)
  expect((await stat(files[0]!)).mtimeMs).toBe(drawnMs)
  expect((await drawGallery({ folder, count: 11 })).pictures).toEqual(gallery.pictures.slice(0, 11))
})
