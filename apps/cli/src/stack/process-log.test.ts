import { PassThrough } from 'node:stream'
import { mkdirSync, readdirSync, readFileSync, rmdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { maxLogFiles } from '@likeness/shared/contract/limits'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { createLogFile, followOutput } from './process-log.ts'

let dir: string
let file: string
beforeEach(() => {
  dir = temporaryFolder('log')
  file = join(dir, 'api.log')
})
type Log = ReturnType<typeof createLogFile>
const flushed = (log: Log) => new Promise<void>((resolve) => log.flush(resolve))
const textOf = (name: string): string => readFileSync(join(dir, name), 'utf8')

test('a log is bounded in size and in number of files while its process runs', async () => {
  const log = createLogFile(file, 'api', 100)
  for (let i = 0; i < 200; i++) {
    log.write(`line ${i}\n`)
    await flushed(log)
  }
  expect(readdirSync(dir).sort()).toEqual(
    ['api.log', ...Array.from({ length: maxLogFiles - 1 }, (_, i) => `api.log.${i + 1}`)].sort()
  )
  for (const name of readdirSync(dir)) {
    expect(statSync(join(dir, name)).size).toBeLessThanOrEqual(100)
    expect(statSync(join(dir, name)).mode & 0o777).toBe(0o600)
  }
  const kept = ['api.log.2', 'api.log.1', 'api.log'].map(textOf).join('').trimEnd().split('\n')
  expect(kept).toEqual(kept.map((_, i) => `line ${200 - kept.length + i}`))
})

test('a log goes on where an earlier process ended, and one that is too long is put aside', async () => {
  writeFileSync(file, 'earlier\n')
  const log = createLogFile(file, 'api', 20)
  log.write('later\n')
  await flushed(log)
  expect(textOf('api.log')).toBe('earlier\nlater\n')
  log.write('much later still\n')
  await flushed(log)
  expect([textOf('api.log.1'), textOf('api.log')]).toEqual([
    'earlier\nlater\n',
    'much later still\n'
  ])
})

test('a log file that cannot be opened loses lines, tells how many, and never throws', async () => {
  mkdirSync(file)
  const log = createLogFile(file, 'api')
  log.write('one\ntwo\n')
  await flushed(log)
  rmdirSync(file)
  log.write('three\n')
  await flushed(log)
  const [lost, line] = textOf('api.log').split('\n')
  expect([JSON.parse(lost!), line]).toEqual([
    expect.objectContaining({
      app: 'api',
      lost: 2,
      reason: expect.stringContaining('EISDIR') as string,
      msg: 'log lines were lost'
    }),
    'three'
  ])
})

test('the output of a child goes to its log, and its last words are kept', async () => {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const taken: string[] = []
  const lastLines = followOutput(
    { stdout, stderr },
    { write: (bytes) => void taken.push(bytes.toString()) }
  )
  stdout.write('one\n\ntwo\n')
  stderr.end('bad configuration\n')
  stdout.end()
  expect(await lastLines(2)).toEqual(['two', 'bad configuration'])
  expect(taken.join('')).toBe('one\n\ntwo\nbad configuration\n')
})
