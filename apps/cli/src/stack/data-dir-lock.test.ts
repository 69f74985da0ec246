import { spawnSync } from 'node:child_process'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { lockDataDir } from './data-dir-lock.ts'

let dir: string
beforeEach(() => {
  dir = temporaryFolder('lock')
})

test('the directory is held until it is given back', () => {
  const unlock = lockDataDir(dir)
  expect(() => lockDataDir(dir)).toThrow(`${dir} is in use by process ${process.pid}`)
  unlock()
  lockDataDir(dir)()
  expect(readdirSync(dir)).toEqual([])
})

test('a dead process, a recycled pid and an unreadable file hold nothing', () => {
  const dead = spawnSync(process.execPath, ['--version']).pid
  for (const stale of [`${dead} 12345\n`, `${process.pid} 1\n`, 'nonsense', '']) {
    writeFileSync(join(dir, 'stack.pid'), stale)
    lockDataDir(dir)()
  }
  expect(readdirSync(dir)).toEqual([])
})
