// Galleries built from a yaml by the real program: from an empty folder, again, after kill -9 and Ctrl-C, and with lists as users have them.
import { readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, expect, test } from 'vitest'
import { pictureOf } from '../../support/pictures.ts'
import { type Home, openHome, type Running, unmodifiedYaml } from './likeness.ts'

let home: Home
beforeAll(async () => {
  home = await openHome()
})

/** The smallest model makes 64 dimensions, and drawn noise is not what a threshold is for. */
const yaml = unmodifiedYaml
  .replace('embedding_size: 512', 'embedding_size: 64')
  .replace('score_thres: 0.7', 'score_thres: "None"')
const count = (n: number): number[] => Array.from({ length: n }, (_, i) => i)
/** Spaces in paths and in labels, and no delimiter. */
const pathOf = (seed: number): string => `set ${seed % 3}/${seed}.jpg`
const listOf = (seeds: readonly number[]): string =>
  seeds.map((seed) => `${pathOf(seed)} label of ${seed}\n`).join('')
const folderOf = (name: string, seeds: readonly number[], list = listOf(seeds)): Promise<string> =>
  home.folder(
    name,
    { 'product.yaml': yaml, 'product_data.txt': list },
    Object.fromEntries(seeds.map((seed) => [`product_images/${pathOf(seed)}`, seed]))
  )

/** The lines of hits of all objects, best first, each file once. */
function hitsIn(stdout: string): string[] {
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('    ') ? [line.trim()] : []))
  const scoreOf = (line: string): number => Number(line.split('  ').at(-2))
  const files = new Set<string>()
  return lines
    .sort((a, b) => scoreOf(b) - scoreOf(a))
    .filter((line) => files.size < files.add(fileOf(line)).size)
}
const fileOf = (line: string): string => line.split('  ').at(-1)!

test('the yaml of a PP-ShiTu user runs unmodified with the built-in model, and a second folder with the same file is another gallery', async () => {
  const own = await openHome({ model: 'built-in' })
  const open = (name: string, seeds: number[]) =>
    own.folder(
      name,
      { 'product.yaml': unmodifiedYaml, 'product_data.txt': listOf(seeds) },
      Object.fromEntries(seeds.map((seed) => [`product_images/${pathOf(seed)}`, seed]))
    )
  const [first, second] = [await open('first', count(12)), await open('second', [20, 21])]
  const built = await own.run(first, 'build', '-c', 'product.yaml', '--json')
  expect([built.code, built.json()], built.stderr).toEqual([
    0,
    expect.objectContaining({ total: 12, indexed: 12, failed: 0, wasDone: false })
  ])
  const other = await own.run(second, 'build', '-c', 'product.yaml', '--json')
  expect(other.json()).toMatchObject({ total: 2, indexed: 2, failed: 0 })
  expect(other.json().collection).not.toBe(built.json().collection)
  const found = await own.run(
    first,
    'search',
    '-c',
    'product.yaml',
    '--image',
    'product_images/set 1/4.jpg'
  )
  expect(hitsIn(found.stdout)[0]).toMatch(/^label of 4 +[01]\.\d{4} {2}set 1\/4\.jpg$/)
  expect(
    (await own.run(second, 'search', '-c', 'product.yaml', '--dir', 'product_images', '--json'))
      .stdout
  ).not.toContain('set 1/4.jpg')
}, 600_000)

test('a finished build started again does nothing, another list is refused without --force, and --force wipes', async () => {
  const folder = await folderOf('again', count(6))
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
  const folder = await folderOf('bits', count(5))
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
  await home.run(folder, 'up', '--port', '0')
  try {
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
  } finally {
    await home.run(folder, 'down')
  }
}, 600_000)

test('append adds and replaces, remove takes out by path though the pictures are gone, and append brings back', async () => {
  const folder = await folderOf('append', count(6))
  const run = (...args: string[]) => home.run(folder, ...args, '-c', 'product.yaml', '--json')
  await home.run(folder, 'up', '--port', '0')
  try {
    expect((await run('build')).json()).toMatchObject({ indexed: 6 })
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
          name: expect.stringContaining('product-gallery-index')
        })
      ])
    })
  } finally {
    await home.run(folder, 'down')
  }
}, 600_000)

/** Vector batches of all galleries of the home. */
async function batchesWritten(): Promise<number> {
  const files = await readdir(join(home.dir, 'home/stack/objects'), { recursive: true }).catch(
    () => []
  )
  return files.filter((file) => /\/batch~\/[^/]+\/[^/]+$/.test(file)).length
}

/** Waits for the first batch, some hundred of the pictures. The bar says it too late: outside a terminal it is written every few seconds. */
async function untilUnderWay({ stdout, finished }: Running, batchesBefore: number): Promise<void> {
  const ended = finished.then(() => true)
  while ((await batchesWritten()) <= batchesBefore) {
    if (await Promise.race([ended, pause(20, false)]))
      throw new Error(`ended before it was interrupted: ${stdout()}`)
  }
}

test.each(['SIGKILL', 'SIGINT'] as const)(
  'a build that %s ended goes on where it was, and no picture is lost or there twice',
  async (signal) => {
    const pictures = 900
    const folder = await folderOf(`interrupted by ${signal}`, count(pictures))
    const before = await batchesWritten()
    const running = home.start(folder, ['build', '-c', 'product.yaml', '--json'])
    await untilUnderWay(running, before)
    process.kill(signal === 'SIGKILL' ? -running.child.pid! : running.child.pid!, signal)
    const ended = await running.finished
    expect([ended.code, ended.signal]).toEqual(
      signal === 'SIGKILL' ? [null, 'SIGKILL'] : [130, null]
    )
    const built = await home.run(folder, 'build', '-c', 'product.yaml', '--json')
    expect(built.stderr).toContain('going on with the build that was interrupted')
    expect([built.code, built.json()]).toEqual([
      0,
      expect.objectContaining({ total: pictures, indexed: pictures, failed: 0, superseded: 0 })
    ])
    const verified = await home.run(folder, 'verify', '-c', 'product.yaml', '--json')
    expect([verified.code, verified.json()]).toEqual([0, expect.objectContaining({ problems: [] })])
  },
  600_000
)

test('bad lines fail by number and reason, the rest is built, and the program says so with its exit code', async () => {
  const list = `\uFEFF${pathOf(0)} ok\r\n\r\nonly-a-path.jpg\n${pathOf(1)} 中文 标签\n../../etc/passwd x\nmissing.jpg x\n${pathOf(1)} 中文 标签\n${pathOf(0)} another label\nset 0/text.jpg not a picture\n`
  const folder = await folderOf('bad lines', [0, 1], list)
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

test('a stack that may not read the folder is sent the pictures', async () => {
  const folder = await folderOf('sent', count(8), `${listOf(count(8))}gone.jpg nothing\n`)
  await home.run(folder, 'up', '--port', '0')
  try {
    const built = await home.run(folder, 'build', '-c', 'product.yaml', '--json')
    expect([built.code, built.json()], built.stderr).toEqual([
      1,
      expect.objectContaining({ total: 9, indexed: 8, failed: 1 })
    ])
    expect(built.stdout).toMatch(/product_data\.txt:9: image_missing/)
    const jobs = await home.run(folder, 'jobs')
    expect(jobs.stdout).toMatch(/completed .*8 of 8 indexed.*upload/)
  } finally {
    expect((await home.run(folder, 'down')).stdout).toContain('stopped')
  }
}, 600_000)

test('what the user has to change is one message, exit code 2, and nothing is made', async () => {
  const folder = await folderOf('wrong', [0])
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
