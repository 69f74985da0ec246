import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { silentLogger } from '@likeness/shared/process/logger'
import { temporaryFolder } from '../../../../test/support/temporary-folder.ts'
import { type Stack, type StackOptions, startStack } from './start-stack.ts'

const entry = new URL('./testing/stand-in-app.ts', import.meta.url).pathname
const entries = { api: entry, 'embed-worker': entry, 'index-worker': entry }
let dataDir: string
let stack: Stack | undefined

const start = async (options: Partial<StackOptions> = {}): Promise<Stack> =>
  (stack = await startStack({ dataDir, entries, logger: silentLogger(), ...options }))
const ask = async (url: string): Promise<{ pid: number; env: Record<string, string> }> =>
  (await fetch(url)).json() as never
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0) && !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ')
  } catch {
    return false
  }
}

beforeEach(() => {
  dataDir = temporaryFolder('stack')
})
afterEach(async () => {
  await stack?.stop()
  stack = undefined
})

test('redis keeps everything it is given, behind a password that is on no command line', async () => {
  const { redisUrl, pids } = await start()
  const password = new URL(redisUrl).password
  const redis = new Redis(redisUrl)
  const settings = await redis.config(
    'GET',
    'maxmemory-policy',
    'appendonly',
    'appendfsync',
    'bind',
    'dir'
  )
  expect(settings).toEqual(
    expect.arrayContaining(['noeviction', 'yes', 'everysec', '127.0.0.1', join(dataDir, 'redis')])
  )
  redis.disconnect()
  const stranger = new Redis(redisUrl.replace(password, 'wrong'), {
    retryStrategy: () => null,
    lazyConnect: true
  })
  stranger.on('error', () => undefined)
  await expect(stranger.ping()).rejects.toThrow()
  expect(readFileSync(`/proc/${pids().redis}/cmdline`, 'utf8')).not.toContain(password)
})

test('apps see only the environment that is written for them', async () => {
  process.env.SECRET_OF_THE_PARENT = 'x'
  const { apiUrl, redisUrl } = await start({
    importRoots: ['/a', '/b'],
    appEnv: { api: { LOG_LEVEL: 'warn' } }
  })
  const { env } = await ask(apiUrl)
  delete process.env.SECRET_OF_THE_PARENT
  expect(env).toMatchObject({
    REDIS_URL: redisUrl,
    IMPORT_ROOTS: '/a,/b',
    LOG_LEVEL: 'warn',
    OBJECT_STORE: `dir:${dataDir}/objects`,
    DATA_DIR: `${dataDir}/cache/api`
  })
  expect(env.SECRET_OF_THE_PARENT).toBeUndefined()
})

test('a killed app is started again at the same address', async () => {
  const { apiUrl, process: processOf } = await start()
  const before = await ask(apiUrl)
  await processOf('api').kill()
  await expect(ask(apiUrl)).rejects.toThrow()
  expect((await processOf('api').whenReady()).url).toBe(apiUrl)
  expect((await ask(apiUrl)).pid).not.toBe(before.pid)
})

test('a killed redis comes back at the same address with its data', async () => {
  const { redisUrl, process: processOf } = await start()
  const redis = new Redis(redisUrl, { maxRetriesPerRequest: null })
  redis.on('error', () => undefined)
  await redis.set('kept', 'yes')
  await processOf('redis').kill()
  await processOf('redis').whenReady()
  expect(await redis.get('kept')).toBe('yes')
  redis.disconnect()
})

test('a redis that cannot read its files begins empty, and the files are kept aside', async () => {
  const first = await start()
  const redis = new Redis(first.redisUrl)
  await redis.set('kept', 'no')
  redis.disconnect()
  await first.stop()
  const files = join(dataDir, 'redis/appendonlydir')
  const [log] = readdirSync(files).filter((name) => name.endsWith('.incr.aof'))
  writeFileSync(join(files, log!), 'this is no log of commands\r\n')
  const second = new Redis((await start()).redisUrl)
  expect([await second.get('kept'), await second.set('new', 'yes')]).toEqual([null, 'OK'])
  second.disconnect()
  expect(readdirSync(join(dataDir, 'redis'))).toContain('appendonlydir.damaged')
})

test('several processes of an app run side by side with their own cache folders', async () => {
  const { apiUrls } = await start({ replicas: { api: 2 } })
  const folders = await Promise.all(apiUrls.map(async (url) => (await ask(url)).env.DATA_DIR))
  expect(folders).toEqual([`${dataDir}/cache/api`, `${dataDir}/cache/api-2`])
})

test('an app that does not start is named with its last words, and nothing stays behind', async () => {
  const failing = start({
    appEnv: { 'embed-worker': { STAND_IN_FAILS: 'bad configuration: MODEL_DIR' } }
  })
  await expect(failing).rejects.toThrow(
    /embed-worker did not start \(exit code 2\)[^]*bad configuration: MODEL_DIR/
  )
  const { pids } = await start()
  expect(Object.values(pids()).every((pid) => pid !== undefined && isAlive(pid))).toBe(true)
})

test('a second stack on the same data directory is refused by name, after the first it starts', async () => {
  const first = await start()
  await expect(startStack({ dataDir, entries, logger: silentLogger() })).rejects.toThrow(
    `in use by process ${process.pid}`
  )
  await first.stop()
  await start()
})

test('stop leaves no process', async () => {
  const { pids, stop } = await start()
  const all = Object.values(pids()) as number[]
  expect(all).toHaveLength(4)
  await stop()
  expect(all.filter(isAlive)).toEqual([])
})

test('children do not outlive a parent that is killed, and the next stack takes the directory over', async () => {
  const holder = spawn(
    process.execPath,
    ['--import', 'tsx', new URL('./testing/stack-holder.ts', import.meta.url).pathname, dataDir],
    {
      stdio: ['ignore', 'pipe', 'inherit']
    }
  )
  const [line] = (await once(holder.stdout, 'data')) as [Buffer]
  const pids = Object.values(JSON.parse(line.toString()) as Record<string, number>)
  expect(pids.every(isAlive)).toBe(true)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  for (let tries = 0; pids.some(isAlive) && tries < 300; tries++) await pause(100)
  expect(pids.filter(isAlive)).toEqual([])
  await start()
})
