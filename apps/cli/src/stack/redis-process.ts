// redis-server as a child: private port, password and durable settings given on stdin, so that no
// secret is on a command line.
import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { LogStream } from '@likeness/shared/process/log-stream'
import { inheritedEnvironment, isCommand } from '../config.ts'
import type { Launched } from './managed-process.ts'
import { makePrivateFolder, withPrivateFiles } from './private-files.ts'
import { followOutput } from './process-log.ts'
import { pingRedis } from './redis-ping.ts'

export interface RedisPlace {
  port: number
  password: string
  dir: string
  log: Pick<LogStream, 'write'>
}

export function redisConfig({ port, password, dir }: Omit<RedisPlace, 'log'>): string {
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `requirepass ${password}`,
    `dir "${dir.replace(/["\\]/g, '\\$&')}"`,
    `pidfile "${join(dir, 'redis.pid').replace(/["\\]/g, '\\$&')}"`,
    'daemonize no',
    'appendonly yes',
    'appendfsync everysec',
    'save ""',
    'maxmemory-policy noeviction',
    'tcp-keepalive 60'
  ]
  return `${lines.join('\n')}\n`
}

// setpriv (util-linux) lets the kernel end redis after any end of this process.
const redisCommand = (): [string, string[]] =>
  process.platform === 'linux' && isCommand('setpriv')
    ? ['setpriv', ['--pdeathsig', 'TERM', 'redis-server', '-']]
    : ['redis-server', ['-']]

/** Launches Redis; ready when Redis answers PING with the data loaded. */
export function launchRedis(place: RedisPlace): Launched {
  makePrivateFolder(place.dir)
  const [file, args] = redisCommand()
  const env = { ...inheritedEnvironment(), LANG: 'C.UTF-8' }
  const child = withPrivateFiles(() =>
    spawn(file, args, { cwd: place.dir, env, stdio: ['pipe', 'pipe', 'pipe'], detached: true })
  )
  const lastLines = followOutput(child, place.log)
  // A child that dies before it reads the configuration is reported by the exit.
  const stdin = child.stdin as typeof child.stdin | undefined
  stdin?.on('error', () => undefined)
  stdin?.end(redisConfig(place))
  return { child, ready: waitForPing(child, place), lastLines }
}

async function waitForPing(
  child: ChildProcess,
  { port, password }: RedisPlace
): Promise<{ url: string }> {
  let isOver = false
  child.once('exit', () => (isOver = true))
  child.once('error', () => (isOver = true))
  while (!isOver) {
    if (await pingRedis({ port, password }))
      return { url: `redis://:${password}@127.0.0.1:${port}` }
    await pause(30)
  }
  // The supervisor reports the exit itself.
  return new Promise(() => undefined)
}
