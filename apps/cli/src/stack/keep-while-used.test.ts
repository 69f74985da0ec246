// A command and a stack that ends, step by step in every order: no command is left with a stack that
// goes away.
import { spawnSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { untilUnused } from './keep-while-used.ts'
import { isAlive, thisProcess } from './living-process.ts'
import { makeDataFolder } from './private-files.ts'
import { isStackUsed, keepStack, useStack } from './stack-users.ts'

let dir: string
beforeEach(() => {
  dir = temporaryFolder('users')
})

/** An address whose withdrawal lets a command come in first. */
function addressOf(onWithdraw: () => void) {
  const seen: string[] = []
  let isThere = true
  return {
    seen,
    isThere: () => isThere,
    publish: () => {
      isThere = true
      seen.push('published')
    },
    withdraw: () => {
      isThere = false
      seen.push('withdrawn')
      onWithdraw()
    }
  }
}

test('a stack ends when its last command has left', async () => {
  const leave = useStack(dir)
  const address = addressOf(() => undefined)
  let ended = false
  const ending = untilUnused(dir, address).then(() => (ended = true))
  await new Promise((resolve) => setTimeout(resolve, 250))
  expect([ended, address.isThere()]).toEqual([false, true])
  leave()
  await ending
  expect(address.seen).toEqual(['withdrawn'])
})

test('a command that was there before the address went keeps the stack', async () => {
  let leave: (() => void) | undefined
  // The command registered and read the address just before the stack takes the address away.
  const address = addressOf(() => {
    leave ??= useStack(dir)
  })
  const ending = untilUnused(dir, address)
  await expect.poll(() => address.seen).toEqual(['withdrawn', 'published'])
  leave!()
  await ending
  expect(address.isThere()).toBe(false)
})

test('killed commands, recycled ids and strange files use nothing; a stack that was asked to stay is used', () => {
  const dead = spawnSync(process.execPath, ['--version']).pid
  mkdirSync(join(dir, 'users'))
  for (const name of [
    `uses-${dead}-1`,
    `uses-${process.pid}-1`,
    `keeps-${dead}-1`,
    'uses-x',
    'README'
  ])
    writeFileSync(join(dir, 'users', name), '')
  expect(isStackUsed(dir)).toBe(false)
  expect(readdirSync(join(dir, 'users')).sort()).toEqual(['README', 'uses-x'])
  keepStack(dir, thisProcess())
  expect(isStackUsed(dir)).toBe(true)
  expect(isAlive({ pid: dead, startedAt: '1' })).toBe(false)
})

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

test('a data folder is made for its user alone, an older one too; a folder with other things stays as it is', () => {
  const [fresh, old, shared] = ['fresh', 'old', 'shared'].map((name) => join(dir, name, 'stack'))
  mkdirSync(old!, { recursive: true })
  mkdirSync(join(dir, 'shared/photos'), { recursive: true })
  for (const folder of [join(dir, 'old'), old!, join(dir, 'shared')]) chmodSync(folder, 0o755)
  for (const stack of [fresh!, old!, shared!]) makeDataFolder(stack)
  expect(
    ['fresh', 'fresh/stack', 'old', 'old/stack'].map((name) => modeOf(join(dir, name)))
  ).toEqual(['700', '700', '700', '700'])
  expect(['shared', 'shared/stack'].map((name) => modeOf(join(dir, name)))).toEqual(['755', '700'])
})
