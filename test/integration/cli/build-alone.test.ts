// Tests galleries that the program builds without a running stack. The program starts a stack, and
// stops this stack also when it is killed or interrupted.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { count, folderOf, hitsIn, listOf, pathOf } from './gallery-folder.ts'
import { type Home, openHome, type Running, unmodifiedYaml } from './likeness.ts'

let home: Home
beforeAll(async () => {
  home = await openHome()
})

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
  expect((await own.run(first, 'up', '--port', '0')).code).toBe(0)
  onTestFinished(() => own.run(first, 'down').then(() => undefined))
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

/** Counts vector batches of all galleries in the home folder. */
async function batchesWritten(): Promise<number> {
  const files = await readdir(join(home.dir, 'home/stack/objects'), { recursive: true }).catch(
    () => []
  )
  return files.filter((file) => /\/batch~\/[^/]+\/[^/]+$/.test(file)).length
}

/**
 * Waits for the first batch, which has some hundred of the pictures. The progress bar comes too
 * late: outside a terminal a line appears only every few seconds.
 */
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
    const folder = await folderOf(home, `interrupted by ${signal}`, count(pictures))
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
