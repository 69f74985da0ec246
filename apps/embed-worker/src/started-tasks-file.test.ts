import { fork } from 'node:child_process'
import { readdirSync, writeSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { temporaryFolder } from '../../../test/support/temporary-folder.ts'
import {
  createStartedTasksWriter,
  openStartedTasksFile,
  startedTasksFd
} from './started-tasks-file.ts'

let dir: string
beforeEach(() => void (dir = temporaryFolder('touch')))

test('what was touched is there, and how often, and no file is left', () => {
  const file = openStartedTasksFile(join(dir, 'new'))
  expect(file.read()).toEqual({ ids: new Set(), count: 0 })
  const touch = createStartedTasksWriter(file.fd)
  touch(7)
  touch(2 ** 40)
  touch(7)
  expect(file.read()).toEqual({ ids: new Set([7, 2 ** 40]), count: 3 })
  expect(readdirSync(join(dir, 'new'))).toEqual([])
  file.close()
  expect(() => writeSync(file.fd, 'x')).toThrow()
})

test('the last 4096 are known', () => {
  const file = openStartedTasksFile(dir)
  const touch = createStartedTasksWriter(file.fd)
  for (let id = 1; id <= 10_000; id++) touch(id)
  const { ids, count } = file.read()
  expect([count, ids.size, Math.min(...ids), Math.max(...ids)]).toEqual([
    10_000, 4096, 5905, 10_000
  ])
  file.close()
})

test('a process that dies right after the touch has told it', async () => {
  const file = openStartedTasksFile(dir)
  const script = join(dir, 'child.mjs')
  await writeFile(
    script,
    `
    import { createStartedTasksWriter, startedTasksFd } from ${JSON.stringify(new URL('./started-tasks-file.ts', import.meta.url).href)}
    createStartedTasksWriter(startedTasksFd)(42)
    process.kill(process.pid, 'SIGKILL')
  `
  )
  const child = fork(script, [], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc', file.fd]
  })
  expect(await new Promise((resolve) => child.once('exit', (_, signal) => resolve(signal)))).toBe(
    'SIGKILL'
  )
  expect(startedTasksFd).toBe(4)
  expect(file.read()).toEqual({ ids: new Set([42]), count: 1 })
  file.close()
})
