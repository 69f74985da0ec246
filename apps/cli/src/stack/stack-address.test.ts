import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { findStack, publishAddress } from './stack-address.ts'

const address = { apiUrl: 'http://127.0.0.1:8080', redisUrl: 'redis://:secret@127.0.0.1:1' }
const freshDir = (): string => temporaryFolder('address')

test('a stack is found while the process that holds its folder lives, and its secrets are for the user alone', () => {
  const dir = freshDir()
  expect(findStack(dir)).toBeUndefined()
  const unlock = lockDataDir(dir)
  expect(findStack(dir)).toBeUndefined()
  const withdraw = publishAddress(dir, address)
  expect(findStack(dir)).toEqual({ pid: process.pid, ...address })
  expect(statSync(join(dir, 'stack.json')).mode & 0o077).toBe(0)
  withdraw()
  unlock()
  expect(findStack(dir)).toBeUndefined()
})

test('an address that a dead process left behind, or another one than holds the folder, is not believed', () => {
  const dir = freshDir()
  publishAddress(dir, address)
  expect(findStack(dir)).toBeUndefined()
  const unlock = lockDataDir(dir)
  writeFileSync(join(dir, 'stack.json'), JSON.stringify({ pid: process.pid + 1, ...address }))
  expect(findStack(dir)).toBeUndefined()
  unlock()
})
