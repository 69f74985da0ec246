import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { makeQueries } from './make-queries.ts'

let folder: string
let pictures: { path: string; label: string }[]
beforeEach(async () => {
  folder = temporaryFolder('queries')
  pictures = []
  for (const [at, color] of ['#d33', '#3d3', '#33d', '#dd3', '#3dd', '#d3d'].entries()) {
    const path = `${at}.png`
    await sharp({ create: { width: 90, height: 60, channels: 3, background: color } })
      .png()
      .toFile(join(folder, path))
    pictures.push({ path, label: `label ${at}` })
  }
})

test('the kinds take turns, no picture is asked twice, and a second run gives the same bytes', async () => {
  const cacheDir = join(folder, 'scenes')
  const queries = await makeQueries({ folder, pictures, cacheDir, count: 6 })
  expect(queries.map(({ name }) => name)).toEqual([
    '001 plate',
    '002 pasted',
    '003 covered',
    '004 plate',
    '005 pasted',
    '006 covered'
  ])
  expect(new Set(queries.map(({ label }) => label)).size).toBe(6)
  const cached = await makeQueries({ folder, pictures, cacheDir, count: 6 })
  await rm(cacheDir, { recursive: true })
  const redrawn = await makeQueries({ folder, pictures, cacheDir, count: 6 })
  for (const again of [cached, redrawn])
    again.forEach(({ image }, at) => expect(Buffer.compare(image, queries[at]!.image)).toBe(0))
})

test('a file that is no picture is passed over, and an altered picture is drawn anew', async () => {
  const cacheDir = join(folder, 'scenes')
  await makeQueries({ folder, pictures, cacheDir })
  await writeFile(join(folder, pictures[0]!.path), 'no picture')
  await sharp({ create: { width: 90, height: 60, channels: 3, background: '#000' } })
    .png()
    .toFile(join(folder, pictures[1]!.path))
  const before = (await readdir(cacheDir)).length
  expect(
    (await makeQueries({ folder, pictures, cacheDir })).map(({ label }) => label)
  ).not.toContain('label 0')
  expect((await readdir(cacheDir)).length).toBeGreaterThan(before)
})
