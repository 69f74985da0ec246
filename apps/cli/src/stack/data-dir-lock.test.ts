import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { lockDataDir, ownerOfDataDir } from './data-dir-lock.ts'

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

test('a process that has ended and was not reaped holds nothing', async () => {
  // The shell becomes a process that never asks for its child, before that child ends.
  const parent = spawn('sh', ['-c', 'sleep 0.3 & echo $!; exec sleep 60'], {
    stdio: ['ignore', 'pipe', 'ignore']
  })
  onTestFinished(() => void parent.kill())
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  const stat = (): string[] =>
    readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ')
  await expect.poll(() => stat()[0], { timeout: 10_000 }).toBe('Z')
  writeFileSync(join(dir, 'stack.pid'), `${pid} ${stat()[19]}\n`)
  expect(ownerOfDataDir(dir)).toBeUndefined()
  lockDataDir(dir)()
})
