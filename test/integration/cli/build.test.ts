// Tests galleries that the real program builds from a yaml on a running stack: built again,
// extended, reduced, and with the lists of real users.
import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { pictureOf } from '../../support/pictures.ts'
import { count, fileOf, folderOf, hitsIn, listOf, pathOf } from './gallery-folder.ts'
import { type Home, openHome } from './likeness.ts'

let home: Home
/**
 * The stack may read the folders in `readable`. For all other folders the program uploads the
 * pictures.
 */
beforeAll(async () => {
  home = await openHome()
  const readable = join(home.dir, 'readable')
  await mkdir(readable)
  const up = await home.run(home.dir, 'up', '--port', '0', '--import', readable)
  expect(up.code, up.stderr).toBe(0)
})
afterAll(async () => {
  expect((await home.run(home.dir, 'down')).stdout).toContain('stopped')
})

test('a finished build started again does nothing, another list is refused without --force, and --force wipes', async () => {
  const folder = await folderOf(home, 'readable/again', count(6))
  expect((await home.run(folder, 'build', '-c', 'product.yaml')).code).toBe(0)
  const again = await home.run(folder, 'build', '-c', 'product.yaml', '--json')
  expect([again.code, again.json()]).toEqual([
    0,
    expect.objectContaining({ indexed: 6, wasDone: true, jobs: [] })
  ])
  await writeFile(join(folder, 'product_data.txt'), listOf([0, 1]))
  const refused = await home.run(folder, 'build', '-c', 'product.yaml')
  expect([refused.code, refused.stderr]).toEqual([
    2,
    expect.stringMatching(/holds 6 items.*--force wipes it/)
  ])
  const forced = await home.run(folder, 'build', '-c', 'product.yaml', '--force', '--json')
  expect([forced.code, forced.json()]).toEqual([
    0,
    expect.objectContaining({ total: 2, indexed: 2 })
  ])
  const left = hitsIn(
    (
      await home.run(
        folder,
        'search',
        '-c',
        'product.yaml',
        '--image',
        `product_images/${pathOf(5)}`
      )
    ).stdout
  )
  expect(left.map(fileOf).sort()).toEqual([pathOf(0), pathOf(1)].sort())
  const changed = await home.run(
    folder,
    'build',
    '-c',
    'product.yaml',
    '-o',
    'IndexProcess.index_method=IVF'
  )
  expect([changed.code, changed.stderr]).toEqual([
    2,
    expect.stringContaining('index_method "HNSW32", not "IVF"')
  ])
}, 600_000)

test('a gallery of bits answers what is within the radius of its yaml, and what is not is unknown', async () => {
  const folder = await folderOf(home, 'bits', count(5))
  const run = (...args: string[]) =>
    home.run(
      folder,
      ...args,
      '-c',
      'product.yaml',
      '-o',
      'IndexProcess.dist_type=hamming',
      '-o',
      'IndexProcess.hamming_radius=0'
    )
  const built = await run('build', '--json')
  expect([built.code, built.json()], built.stderr).toEqual([
    0,
    expect.objectContaining({ indexed: 5 })
  ])
  expect(hitsIn((await run('search', '--image', `product_images/${pathOf(4)}`)).stdout)).toEqual([
    expect.stringMatching(/^label of 4 +1\.0000 {2}set 1\/4\.jpg$/)
  ])
  await writeFile(join(folder, 'other.jpg'), await pictureOf(77))
  expect(hitsIn((await run('search', '--image', 'other.jpg')).stdout)).toEqual([])
}, 600_000)

test('append adds and replaces, remove takes out by path though the pictures are gone, and append brings back', async () => {
  const folder = await folderOf(home, 'append', count(6))
  const run = (...args: string[]) => home.run(folder, ...args, '-c', 'product.yaml', '--json')
  const built = (await run('build')).json()
  expect(built).toMatchObject({ indexed: 6 })
  await writeFile(join(folder, 'product_images', pathOf(7)), await pictureOf(7))
  await writeFile(join(folder, 'product_data.txt'), `${listOf([7])}${pathOf(2)} new name\n`)
  expect((await run('append')).json()).toMatchObject({ total: 2, indexed: 2 })
  expect((await run('append')).json()).toMatchObject({ wasDone: true })
  expect(
    hitsIn(
      (
        await home.run(
          folder,
          'search',
          '-c',
          'product.yaml',
          '--image',
          `product_images/${pathOf(2)}`
        )
      ).stdout
    )[0]
  ).toMatch(/^new name /)
  await rm(join(folder, 'product_images', pathOf(7)))
  await writeFile(
    join(folder, 'product_data.txt'),
    `${listOf([7])}${pathOf(3)} label of 3\nnot there.jpg x\n`
  )
  const removed = await run('remove')
  expect([removed.code, removed.json()]).toEqual([
    1,
    expect.objectContaining({ listed: 3, removed: 2, failed: 1 })
  ])
  expect(removed.stdout).toMatch(/product_data\.txt:3: item_not_found/)
  expect((await run('status')).stdout).toBeDefined()
  await writeFile(join(folder, 'product_images', pathOf(7)), await pictureOf(7))
  await writeFile(join(folder, 'product_data.txt'), `${listOf([7])}${pathOf(2)} new name\n`)
  expect((await run('append')).json()).toMatchObject({ indexed: 2, wasDone: false })
  const status = await home.run(folder, 'status', '--json')
  expect(status.json()).toMatchObject({
    collections: expect.arrayContaining([
      expect.objectContaining({
        items: 6,
        name: built.collection
      })
    ])
  })
}, 600_000)

test('bad lines fail by number and reason, the rest is built, and the program says so with its exit code', async () => {
  const list = `\uFEFF${pathOf(0)} ok\r\n\r\nonly-a-path.jpg\n${pathOf(1)} 中文 标签\n../../etc/passwd x\nmissing.jpg x\n${pathOf(1)} 中文 标签\n${pathOf(0)} another label\nset 0/text.jpg not a picture\n`
  const folder = await folderOf(home, 'readable/bad lines', [0, 1], list)
  await writeFile(join(folder, 'product_images/set 0/text.jpg'), 'this is text')
  const built = await home.run(folder, 'build', '-c', 'product.yaml', '--json')
  expect([built.code, built.json()], built.stderr).toEqual([
    1,
    expect.objectContaining({ total: 7, indexed: 2, failed: 5, duplicates: 1 })
  ])
  const lines = [...built.stdout.matchAll(/product_data\.txt:(\d+): (\w+): /g)].map(
    ([, line, code]) => [Number(line), code]
  )
  expect(lines).toEqual([
    [3, expect.stringMatching(/missing_label|invalid_list_line/)],
    [5, 'path_outside_root'],
    [6, 'image_missing'],
    [8, 'invalid_list_line'],
    [9, expect.stringMatching(/^image_/)]
  ])
  const again = await home.run(folder, 'build', '-c', 'product.yaml', '--json')
  expect([again.code, again.json()]).toEqual([
    1,
    expect.objectContaining({ failed: 5, wasDone: true })
  ])
}, 600_000)

test('one picture is one item whichever way its path is written, index_dir alone searches and exports it, and remove leaves none', async () => {
  for (const name of ['readable/paths', 'sent paths']) {
    const folder = await folderOf(home, name, [0, 1, 2])
    const images = join(folder, 'product_images')
    const list = [
      `./${pathOf(0)}\tzero`,
      `${pathOf(0).replace('/', '//')}\tzero`,
      `${join(images, pathOf(1))}\tone`,
      `${pathOf(2).replaceAll('/', '\\')}\ttwo`
    ]
    await writeFile(join(folder, 'product_data.txt'), `${list.join('\r')}\r`)
    const run = (...args: string[]) => home.run(folder, ...args, '-c', 'product.yaml', '--json')
    const built = await run('build', '-o', 'IndexProcess.delimiter=\\t')
    expect([built.code, built.json()], built.stdout).toEqual([
      0,
      expect.objectContaining({ total: 3, indexed: 3, duplicates: 1 })
    ])
    await writeFile(
      join(folder, 'search.yaml'),
      'IndexProcess:\n  index_dir: ./product_gallery/index\n'
    )
    const picture = `product_images/${pathOf(2)}`
    const found = await home.run(folder, 'search', '-c', 'search.yaml', '--image', picture)
    expect(hitsIn(found.stdout).map(fileOf)[0]).toBe(pathOf(2))
    expect((await home.run(folder, 'export', '-c', 'search.yaml')).code).toBe(0)
    const refused = await home.run(folder, 'append', '-c', 'search.yaml')
    expect([refused.code, refused.stderr]).toEqual([
      2,
      expect.stringMatching(/image_root is missing\n.*data_file is missing/)
    ])
    const removed = await run('remove')
    expect([removed.code, removed.json()]).toEqual([
      0,
      expect.objectContaining({ listed: 3, removed: 3, failed: 0 })
    ])
    const left = await home.run(folder, 'search', '-c', 'search.yaml', '--image', picture)
    expect(hitsIn(left.stdout)).toEqual([])
  }
}, 600_000)

test('a stack that may not read the folder is sent the pictures', async () => {
  const folder = await folderOf(home, 'sent', count(8), `${listOf(count(8))}gone.jpg nothing\n`)
  const built = await home.run(folder, 'build', '-c', 'product.yaml', '--json')
  expect([built.code, built.json()], built.stderr).toEqual([
    1,
    expect.objectContaining({ total: 9, indexed: 8, failed: 1 })
  ])
  expect(built.stdout).toMatch(/product_data\.txt:9: image_missing/)
  const jobs = await home.run(folder, 'jobs')
  expect(jobs.stdout).toMatch(/completed .*8 of 8 indexed.*upload/)
}, 600_000)

test('what the user has to change is one message, exit code 2, and nothing is made', async () => {
  const folder = await folderOf(home, 'wrong', [0])
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await home.run(folder, ...args)
    expect(code).toBe(2)
    expect(stderr).not.toMatch(/\n\s+at /)
    return stderr
  }
  expect(
    await refused('build', '-c', 'product.yaml', '-o', 'IndexProcess.embedding_size=512')
  ).toMatch(/embedding_size is 512, the model .* makes vectors of 64/)
  expect(
    await refused('search', '-c', 'product.yaml', '--image', `product_images/${pathOf(0)}`)
  ).toMatch(/does not exist: `likeness build/)
  expect(await refused('search', '-c', 'product.yaml', '--image', 'nowhere.jpg')).toMatch(
    /no such file/
  )
  expect(await refused('status', '--api', 'http://127.0.0.1:9')).toMatch(/no API answers at/)
  expect(await refused('bild')).toMatch(/no command bild/)
  expect((await home.run(folder, 'verify')).stdout).not.toContain('wrong')
}, 600_000)
