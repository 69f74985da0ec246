// redis-server as a child: private port, password and durable settings given on stdin, so that no
// secret is on a command line.
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { inheritedEnvironment, isCommand } from '../config.ts'
import type { Launched } from './managed-process.ts'
import { openProcessLog, readLastLines } from './process-log.ts'
import { pingRedis } from './redis-ping.ts'

export interface RedisPlace {
  port: number
  password: string
  dir: string
  logFile: string
}

export function redisConfig({ port, password, dir }: RedisPlace): string {
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
  mkdirSync(place.dir, { recursive: true })
  const output = openProcessLog(place.logFile)
  const fromBytes = fstatSync(output).size
  const [file, args] = redisCommand()
  const env = { ...inheritedEnvironment(), LANG: 'C.UTF-8' }
  const child = spawn(file, args, {
    cwd: place.dir,
    env,
    stdio: ['pipe', output, output],
    detached: true
  })
  closeSync(output)
  // A child that dies before it reads the configuration is reported by the exit.
  child.stdin!.on('error', () => undefined)
  child.stdin!.end(redisConfig(place))
  return {
    child,
    ready: waitForPing(child, place),
    lastLines: () => readLastLines(place.logFile, { count: 15, fromBytes })
  }
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
