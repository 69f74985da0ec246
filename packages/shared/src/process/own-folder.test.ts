// Folders of processes that share one DATA_DIR: each has its own, whenever it starts and however it
// ends.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import {
  abandonedAfterMs,
  claimFolder,
  emptyFolder,
  type OwnFolder,
  removeFormerFolders
} from './own-folder.ts'

let dataDir: string
let held: OwnFolder[]
let children: ChildProcess[]
const path = process.env.PATH
beforeEach(() => {
  dataDir = temporaryFolder('own')
  held = []
  children = []
})
afterEach(async () => {
  process.env.PATH = path
  for (const folder of held) folder.release()
  await Promise.all(children.map(killed))
})

async function claim(): Promise<OwnFolder> {
  const folder = await claimFolder(dataDir, 'api')
  held.push(folder)
  return folder
}
function release(folder: OwnFolder): void {
  held = held.filter((one) => one !== folder)
  folder.release()
}
const nameOf = ({ dir }: OwnFolder): string => dir.slice(dataDir.length + 1)

const module = new URL('./own-folder.ts', import.meta.url).href
const program = `
  const { claimFolder } = await import(${JSON.stringify(module)})
  const { dir } = await claimFolder(process.argv[1], 'api')
  process.stdout.write(dir)
  setInterval(() => undefined, 1000)`

/** A process that holds a folder until it is killed. Resolves with the folder. */
async function startHolder(): Promise<{ child: ChildProcess; dir: string }> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', '--input-type=module', '-e', program, dataDir],
    { stdio: ['ignore', 'pipe', 'inherit'] }
  )
  children.push(child)
  const [dir] = (await once(child.stdout!, 'data')) as [Buffer]
  return { child, dir: dir.toString() }
}

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

async function letPass(name: string, ms: number): Promise<void> {
  const then = new Date(Date.now() - ms)
  await utimes(join(dataDir, `${name}.lock`), then, then)
}

test('a second process gets another folder, and the next one the folder that was left', async () => {
  const first = await claim()
  await writeFile(join(first.dir, 'kept'), 'x')
  expect([nameOf(first), nameOf(await claim())]).toEqual(['api-1', 'api-2'])
  release(first)
  const next = await claim()
  expect(nameOf(next)).toBe('api-1')
  expect(await readdir(next.dir)).toEqual(['kept'])
})

test('processes that start at once have different folders; a killed one leaves its folder at once', async () => {
  const holders = await Promise.all(Array.from({ length: 4 }, startHolder))
  expect(holders.map(({ dir }) => dir.slice(dataDir.length + 1)).sort()).toEqual([
    'api-1',
    'api-2',
    'api-3',
    'api-4'
  ])
  await writeFile(join(holders[2]!.dir, 'half'), 'x')
  await killed(holders[2]!.child)
  const next = await claim()
  expect(next.dir).toBe(holders[2]!.dir)
  expect(await readdir(next.dir)).toEqual(['half'])
})

test('a folder that nobody has held for a day is removed, a held or a fresh one never', async () => {
  const [, old, fresh, living] = [await claim(), await claim(), await claim(), await claim()]
  for (const { dir } of held) await writeFile(join(dir, 'kept'), 'x')
  release(old)
  release(fresh)
  await letPass(nameOf(old), abandonedAfterMs + 1_000)
  await letPass(nameOf(fresh), abandonedAfterMs - 60_000)
  await letPass(nameOf(living), 2 * abandonedAfterMs)
  // Another name begins as the folders of this one do.
  await mkdir(join(dataDir, 'api-other-1'))
  await writeFile(join(dataDir, 'api-other-1.lock'), '')
  await letPass('api-other-1', 2 * abandonedAfterMs)
  release(held[0]!)
  await claim()
  expect([old, fresh, living].map(({ dir }) => existsSync(join(dir, 'kept')))).toEqual([
    false,
    true,
    true
  ])
  expect(existsSync(join(dataDir, 'api-other-1'))).toBe(true)
})

test('without the program that locks a process starts, and says that it has no lock', async () => {
  process.env.PATH = dataDir
  const warnings: unknown[] = []
  const logger = { warn: (fields: unknown) => warnings.push(fields) }
  held.push(await claimFolder(dataDir, 'api', logger as never))
  expect(nameOf(held[0]!)).toBe('api-1')
  expect(warnings).toEqual([
    expect.objectContaining({ path: join(dataDir, 'api-1.lock'), code: null })
  ])
})

test('an emptied folder has nothing of the process before, other folders stay', async () => {
  const { dir } = await claim()
  const spool = await emptyFolder(dir, 'spool')
  const replica = await emptyFolder(dir, 'replica')
  for (const folder of [spool, replica]) await writeFile(join(folder, 'file'), 'x')
  await emptyFolder(dir, 'spool')
  expect([await readdir(spool), await readdir(replica)]).toEqual([[], ['file']])
})

test('the folders of a former program are removed, whatever else lies there stays', async () => {
  for (const name of ['replica', 'models']) {
    await mkdir(join(dataDir, name))
    await writeFile(join(dataDir, name, 'file'), name)
  }
  await removeFormerFolders(dataDir, ['replica', 'spool'])
  expect(await readdir(dataDir)).toEqual(['models'])
  expect(await readFile(join(dataDir, 'models/file'), 'utf8')).toBe('models')
})
