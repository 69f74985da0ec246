// Tests commands that run at once over one data folder: they share a stack, which ends with the last
// of them.
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, beforeAll, expect, test } from 'vitest'
import { folderOf } from './gallery-folder.ts'
import { type Finished, type Home, openHome, type Running } from './likeness.ts'

let home: Home
const stackFile = (name: string): string => join(home.dir, 'home/stack', name)
const isUp = (): boolean => existsSync(stackFile('stack.json'))
const isOver = (): boolean => !existsSync(stackFile('stack.pid'))

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(10)
}
const build = (folder: string): Running =>
  home.start(folder, ['build', '-c', 'product.yaml', '--json'])
const mustHaveBuilt = ({ code, stdout, stderr }: Finished, total: number): void =>
  expect([code, stdout.includes(`"indexed":${total}`)], stderr).toEqual([0, true])

beforeAll(async () => {
  home = await openHome()
})
afterEach(() => until(isOver), 120_000)

/** Starts a build and stops it in the middle, when its stack is up. */
async function startHeld(folder: string): Promise<Running & { goOn: () => void }> {
  const running = build(folder)
  await until(isUp)
  running.child.kill('SIGSTOP')
  return { ...running, goOn: () => void running.child.kill('SIGCONT') }
}
const users = (): string[] => readdirSync(stackFile('users'))

test('three commands at once share the stack of the first, and it ends with the last', async () => {
  const folders = [
    await folderOf(home, 'one', [1, 2]),
    await folderOf(
      home,
      'two',
      Array.from({ length: 60 }, (_, i) => 100 + i)
    ),
    await folderOf(home, 'three', [5])
  ]
  const first = await startHeld(folders[0]!)
  const [second, third] = [build(folders[1]!), build(folders[2]!)]
  // One of them may have left before the other comes.
  const seen = new Set<string>()
  await until(() => {
    for (const user of users()) seen.add(user)
    return seen.size === 3
  })
  first.goOn()
  const [one, two, three] = await Promise.all([first.finished, second.finished, third.finished])
  mustHaveBuilt(one, 2)
  mustHaveBuilt(two, 60)
  mustHaveBuilt(three, 1)
  expect(one.stderr).toContain('starting redis')
  expect(two.stderr + three.stderr).not.toContain('starting redis')
})

test('everything in the data folder is for its user alone', () => {
  const all = ['', ...readdirSync(join(home.dir, 'home'), { recursive: true, encoding: 'utf8' })]
  const open = all.filter((name) => (statSync(join(home.dir, 'home', name)).mode & 0o077) !== 0)
  expect(open).toEqual([])
  // Objects, Redis, caches, logs and prepared models are among them.
  expect(all.length).toBeGreaterThan(30)
})

test('a command goes on when the command that started its stack is killed', async () => {
  const [mine, other] = [
    await folderOf(home, 'mine', [1, 2]),
    await folderOf(
      home,
      'other',
      Array.from({ length: 60 }, (_, i) => 200 + i)
    )
  ]
  const first = await startHeld(mine)
  const second = build(other)
  await until(() => users().length === 2)
  process.kill(-first.child.pid!, 'SIGKILL')
  mustHaveBuilt(await second.finished, 60)
})

test('a command that comes while the stack stops waits, and starts one', async () => {
  const folder = await folderOf(home, 'again', [1, 2])
  const first = build(folder)
  await until(isUp)
  await until(() => !isUp())
  const second = await build(await folderOf(home, 'late', [3])).finished
  mustHaveBuilt(await first.finished, 2)
  mustHaveBuilt(second, 1)
})

test('a stack that a command started stays when `up` is asked for meanwhile, and `down` ends it', async () => {
  const folder = await folderOf(home, 'kept', [1, 2])
  const first = await startHeld(folder)
  const up = await home.run(folder, 'up')
  expect([up.code, up.stdout]).toEqual([0, expect.stringContaining('is up already')])
  first.goOn()
  mustHaveBuilt(await first.finished, 2)
  await pause(500)
  expect(isUp()).toBe(true)
  expect((await home.run(folder, 'status')).code).toBe(0)
  expect((await home.run(folder, 'down')).code).toBe(0)
})
