import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import sharp from 'sharp'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import { readQueryList } from '../src/examples/example-query.ts'
import { openFolder } from '../src/examples/folder-pictures.ts'
import { openLabelled } from '../src/examples/labelled-pictures.ts'
import { parseLabels } from '../src/examples/labels-table.ts'

let folder: string
let workDir: string
beforeEach(async () => {
  folder = temporaryFolder('own')
  workDir = temporaryFolder('work')
})
const picture = (width: number, height: number): Promise<Buffer> =>
  sharp({ create: { width, height, channels: 3, background: '#888' } })
    .jpeg()
    .toBuffer()

test('a query line has its fields by name, then its kind; none is unknown, a bar parts labels', async () => {
  const file = join(folder, 'queries.txt')
  await writeFile(file, '\uFEFFa b.jpg\tred car\tcam1\tfar\r\nc.jpg\tnone\tcam2\n\nd.jpg\ta|b\n')
  for (const name of ['a b.jpg', 'c.jpg', 'd.jpg']) await writeFile(join(folder, name), '')
  expect(await readQueryList(file, { root: folder, fields: ['camera'] })).toEqual([
    {
      name: 'a b.jpg',
      file: join(folder, 'a b.jpg'),
      labels: ['red car'],
      fields: { camera: 'cam1' },
      kind: 'far'
    },
    {
      name: 'c.jpg',
      file: join(folder, 'c.jpg'),
      labels: [],
      fields: { camera: 'cam2' },
      kind: 'unknown'
    },
    { name: 'd.jpg', file: join(folder, 'd.jpg'), labels: ['a', 'b'], fields: {}, kind: 'several' }
  ])
  await writeFile(file, 'a.jpg\tx\nb.jpg\n')
  await expect(readQueryList(file, { root: folder, fields: [] })).rejects.toThrow('queries.txt:2:')
})

test('of a plain folder every fourth picture of a label is asked, and nothing is written into it', async () => {
  for (const label of ['cup', 'can']) {
    await mkdir(join(folder, label))
    for (let i = 1; i <= 5; i++)
      await writeFile(join(folder, label, `${i}.jpg`), await picture(8, 8))
  }
  const { queries, dataFile } = await openFolder(folder, {
    workDir,
    fields: [],
    say: () => undefined
  })
  expect(queries.map(({ name, labels }) => [name, labels])).toEqual([
    ['can/4.jpg', ['can']],
    ['cup/4.jpg', ['cup']]
  ])
  expect((await readFile(dataFile, 'utf8')).split('\n').filter(Boolean)).toHaveLength(8)
  expect(await readFile(dataFile, 'utf8')).not.toContain('4.jpg')
  expect((await readdir(folder)).sort()).toEqual(['can', 'cup'])
})

test('lists that lie in the folder are taken; a folder that leaves nothing to ask is refused', async () => {
  await writeFile(join(folder, '1.jpg'), await picture(8, 8))
  await expect(openFolder(folder, { workDir, fields: [], say: () => undefined })).rejects.toThrow(
    'no sub-folder has 4 pictures'
  )
  await writeFile(join(folder, 'gallery.txt'), '1.jpg\tone\n')
  await writeFile(join(folder, 'queries.txt'), '1.jpg\tone\n')
  expect(await openFolder(folder, { workDir, fields: [], say: () => undefined })).toMatchObject({
    imageRoot: folder,
    dataFile: join(folder, 'gallery.txt')
  })
})

test('a labelled set brings the references of its roles, cropped to their boxes, and leaves the others', async () => {
  await writeFile(join(folder, 'a,b.jpg'), await picture(60, 40))
  const file = join(folder, 'labels.csv')
  await writeFile(
    file,
    'path,label,role,bbox_xyxy,extra\na,b.jpg,cup,gallery,10|5|40|25,x\na,b.jpg,cup,gallery,,\na,b.jpg,can,gallery_iconic,,\na,b.jpg,cup,query,1|2|30|40,near\na,b.jpg,none,query,,near\n'
  )
  const said: string[] = []
  const say = (text: string): void => void said.push(text)
  const { imageRoot, dataFile, queries } = await openLabelled({
    file,
    roles: ['gallery', 'query'],
    workDir,
    say
  })
  expect(await readFile(dataFile, 'utf8')).toBe('00000.jpg\tcup\n00001.jpg\tcup\n')
  expect(await sharp(join(imageRoot, '00000.jpg')).metadata()).toMatchObject({
    width: 30,
    height: 20
  })
  expect(await sharp(join(imageRoot, '00001.jpg')).metadata()).toMatchObject({
    width: 60,
    height: 40
  })
  expect(queries.map(({ labels, kind, box }) => [labels, kind, box])).toEqual([
    [['cup'], 'near', [1, 2, 30, 40]],
    [[], 'unknown', undefined]
  ])
  expect(said).toEqual([])
  await expect(openLabelled({ file, roles: ['query'], workDir, say })).rejects.toThrow(
    'it has gallery, gallery_iconic, query'
  )
})

test('a reference whose box shows nothing of its picture is said and left out, and the others are brought', async () => {
  await writeFile(join(folder, 'a.jpg'), await picture(60, 40))
  const file = join(folder, 'labels.csv')
  await writeFile(
    file,
    'path,label,role,bbox_xyxy,extra\na.jpg,cup,gallery,3|30|3|30,\na.jpg,can,gallery,70|5|90|25,\na.jpg,jar,gallery,1|1|9|9,\na.jpg,jar,query,,\n'
  )
  const said: string[] = []
  const { dataFile } = await openLabelled({
    file,
    roles: ['gallery', 'query'],
    workDir,
    say: (text) => said.push(text)
  })
  expect(said).toEqual([
    'a.jpg: the box 3|30|3|30 shows nothing of the picture; left out',
    'a.jpg: the box 70|5|90|25 shows nothing of the picture; left out'
  ])
  expect(await readFile(dataFile, 'utf8')).toBe('00002.jpg\tjar\n')
})

test('a table with another header or a bad box is refused with its line', () => {
  expect(() => parseLabels('path;label\n', 'l.csv')).toThrow('l.csv:1:')
  expect(() =>
    parseLabels('path,label,role,bbox_xyxy,extra\na.jpg,x,gallery,1|2|3,\n', 'l.csv')
  ).toThrow('l.csv:2: the box')
  expect(() => parseLabels('path,label,role,bbox_xyxy,extra\na.jpg,x\n', 'l.csv')).toThrow(
    'l.csv:2: five fields'
  )
})
