// A private redis-server for tests: separate port, separate folder, append-only file on, no
// eviction.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Redis } from 'ioredis'

export interface TestRedis {
  url: string
  port: number
  /** Ends the server and removes its folder. */
  stop(): Promise<void>
  /** Sends SIGKILL. `start` brings the server back with the content of its append-only file. */
  kill(): Promise<void>
  start(): Promise<void>
  /** Sends FLUSHALL. */
  flush(): Promise<void>
}

export interface TestRedisOptions {
  maxmemoryPolicy?: string
}

export async function startRedis({
  maxmemoryPolicy = 'noeviction'
}: TestRedisOptions = {}): Promise<TestRedis> {
  const dir = await mkdtemp(path.join(tmpdir(), 'likeness-redis-'))
  const port = await freePort()
  const url = `redis://127.0.0.1:${port}`
  let server: ChildProcess | undefined

  async function start(): Promise<void> {
    const args = [
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--dir',
      dir,
      '--save',
      '',
      '--appendonly',
      'yes',
      '--maxmemory-policy',
      maxmemoryPolicy
    ]
    const started = spawn('redis-server', args, { stdio: 'ignore' })
    const failed = new Promise<never>((_, reject) => {
      started.once('error', reject)
      started.once('exit', (code) => reject(new Error(`redis-server exited with ${code}`)))
    })
    failed.catch(() => {})
    server = started
    await Promise.race([answers(url), failed])
  }
  async function end(signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
    if (!server || server.exitCode !== null || server.signalCode !== null) return
    const exited = new Promise((resolve) => server!.once('exit', resolve))
    server.kill(signal)
    await exited
  }
  await start()
  return {
    url,
    port,
    start,
    kill: () => end('SIGKILL'),
    async stop() {
      await end('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    },
    flush: () => withClient(url, async (redis) => void (await redis.flushall()))
  }
}

async function answers(url: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt++) {
    try {
      return await withClient(url, async (redis) => void (await redis.ping()))
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`redis-server at ${url} does not answer`)
}

async function withClient(url: string, work: (redis: Redis) => Promise<void>): Promise<void> {
  const redis = new Redis(url, {
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null
  })
  redis.on('error', () => {})
  try {
    await redis.connect()
    await work(redis)
  } finally {
    redis.disconnect()
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer()
    probe.once('error', reject)
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as AddressInfo
      probe.close(() => resolve(port))
    })
  })
}
