import { mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { UserError } from '../user-error.ts'
import { readFolderGallery } from './folder-gallery.ts'

let folder: string
let workDir: string
let said: string[]
const say = (text: string): void => void said.push(text)
beforeEach(async () => {
  folder = temporaryFolder('folder')
  workDir = temporaryFolder('work')
  said = []
})

test('the first sub-folder is the label, a picture in none is labelled by its name, other files are left out', async () => {
  await mkdir(join(folder, 'cups/blue'), { recursive: true })
  for (const name of ['cups/1.jpg', 'cups/blue/2.PNG', 'lamp.webp', 'cups/notes.txt', 'README'])
    await writeFile(join(folder, name), '')
  const gallery = await readFolderGallery(folder, { workDir, say })
  expect(gallery.pictures).toEqual([
    { path: 'cups/1.jpg', label: 'cups' },
    { path: 'cups/blue/2.PNG', label: 'cups' },
    { path: 'lamp.webp', label: 'lamp' }
  ])
  expect(await readFile(gallery.listFile, 'utf8')).toBe(
    'cups/1.jpg\tcups\ncups/blue/2.PNG\tcups\nlamp.webp\tlamp\n'
  )
})

test('names that would break the list and links are left out, odd ones are kept', async () => {
  for (const name of ['a\tb.jpg', 'c\nd.jpg', 'café <b>.jpg'])
    await writeFile(join(folder, name), '')
  await symlink('/etc/hostname', join(folder, 'link.jpg'))
  const gallery = await readFolderGallery(folder, { workDir, say })
  expect(gallery.pictures).toEqual([{ path: 'café <b>.jpg', label: 'café <b>' }])
})

test('pictures in formats that are not read are left out aloud', async () => {
  for (const name of ['a.jpg', '1.HEIC', '2.heic', '3.bmp', '4.mov', 'notes.txt'])
    await writeFile(join(folder, name), '')
  const gallery = await readFolderGallery(folder, { workDir, say })
  expect(gallery.pictures).toEqual([{ path: 'a.jpg', label: 'a' }])
  expect(said).toEqual([
    `--images ${folder}: 4 left out, as their format is not read: 1.HEIC, 2.heic, 3.bmp and 1 more. Convert them to JPEG, PNG or WebP first`
  ])
  await rm(join(folder, 'a.jpg'))
  await expect(readFolderGallery(folder, { workDir, say })).rejects.toThrow(
    /no picture .* in it; 4 left out, .* 1.HEIC.* Convert them/
  )
})

test('a folder without pictures is refused', async () => {
  await writeFile(join(folder, 'notes.txt'), '')
  await expect(readFolderGallery(folder, { workDir, say })).rejects.toThrow(UserError)
  await expect(readFolderGallery(folder, { workDir, say })).rejects.toThrow(/no picture/)
})
