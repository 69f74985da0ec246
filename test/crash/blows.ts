// The blows: whom each falls on, how it is struck, and what shows that it met work in flight.
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { leaseKey, queueNames } from '@likeness/shared/contract/work'
import { pinnedPoints, reachedName } from '../../apps/index-worker/src/test-hooks.ts'
import type { PinnedPoint } from '../../apps/index-worker/src/test-hooks.ts'
import type { Random } from '../simulation/random.ts'
import { childrenOf } from '../support/live-stack.ts'
import type { LiveStack } from '../support/live-stack.ts'
import type { Workload } from './workload.ts'

export interface Struck {
  atMs: number
  details: Record<string, unknown>
}
export interface Blow {
  name: string
  /** A kill or a flush; the others stop or confuse, and are not counted. */
  isKill: boolean
  /** undefined when the victim was not there or had nothing to do. */
  strike(): Promise<Struck | undefined>
}
export interface BlowDeps {
  live: LiveStack
  incarnation: string
  workload: Workload
  random: Random
  pointsDir: string
}

const lookEveryMs = 20
const victimWithinMs = 2_000
const pointWithinMs = 6_000
const takeOverWithinMs = 30_000
const rivalryMs = 2_000

/** What `look` finds, asked again for a while. */
async function find<T>(look: () => T | undefined | Promise<T | undefined>, withinMs: number): Promise<T | undefined> {
  for (const untilMs = Date.now() + withinMs; Date.now() < untilMs; await pause(lookEveryMs)) {
    const found = await look()
    if (found !== undefined) return found
  }
  return undefined
}

export function createBlows(deps: BlowDeps): { blows: Blow[]; close: () => void } {
  const { live, incarnation, workload, random, pointsDir } = deps
  mkdirSync(pointsDir, { recursive: true })
  const redis = new Redis(live.stack.redisUrl, { maxRetriesPerRequest: 1, retryStrategy: () => 200 })
  redis.on('error', () => undefined)
  const embedWorkers = ['embed-worker', 'embed-worker-2']

  async function isEmbedding(): Promise<true | undefined> {
    const active = await Promise.all(Object.values(queueNames).map((name) => redis.llen(`bull:${name}:active`))).catch(() => [0])
    return active.some((count) => count > 0) || undefined
  }

  function strikePid(pid: number | undefined, details: Record<string, unknown>): Struck | undefined {
    if (pid === undefined) return undefined
    const atMs = Date.now()
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // Gone by itself a moment ago: nothing was struck.
      return undefined
    }
    return { atMs, details: { ...details, pid } }
  }

  async function strikeOwner(): Promise<Struck | undefined> {
    const owner = await live.ownerOf(incarnation)
    return owner === undefined ? undefined : strikePid(live.stack.process(owner).pid(), { victim: owner })
  }

  async function strikeEmbedWorker(): Promise<Struck | undefined> {
    if ((await find(isEmbedding, victimWithinMs)) === undefined) return undefined
    const victim = random.pick(embedWorkers)
    return strikePid(live.stack.process(victim).pid(), { victim })
  }

  async function strikeEmbedChild(): Promise<Struck | undefined> {
    if ((await find(isEmbedding, victimWithinMs)) === undefined) return undefined
    const victim = random.pick(embedWorkers)
    const pid = live.stack.process(victim).pid()
    return strikePid(pid === undefined ? undefined : childrenOf(pid)[0], { victim: `child of ${victim}` })
  }

  async function strikeApi(): Promise<Struck | undefined> {
    const url = await find(() => workload.busyApi(), victimWithinMs)
    if (url === undefined) return undefined
    const at = live.stack.apiUrls.indexOf(url)
    const victim = at === 0 ? 'api' : `api-${at + 1}`
    return strikePid(live.stack.process(victim).pid(), { victim })
  }

  /** A process that the owner has started beside itself builds a merge. */
  async function strikeMerge(): Promise<Struck | undefined> {
    const owner = await live.ownerOf(incarnation)
    const merging = () => {
      const pid = owner === undefined ? undefined : live.stack.process(owner).pid()
      return pid === undefined ? undefined : childrenOf(pid)[0]
    }
    return strikePid(await find(merging, victimWithinMs), { victim: `merge process of ${owner}` })
  }

  async function strikeFlush(): Promise<Struck | undefined> {
    const keys = await redis.dbsize().catch(() => 0)
    if (keys === 0) return undefined
    const atMs = Date.now()
    await live.flushRedis()
    return { atMs, details: { victim: 'redis', keys } }
  }

  /** Arms a point and waits until a writer says that it is there. */
  async function pin(point: PinnedPoint, signal: NodeJS.Signals): Promise<Struck | undefined> {
    const [armed, reached] = [join(pointsDir, point), join(pointsDir, reachedName(point))]
    rmSync(reached, { force: true })
    writeFileSync(armed, signal)
    // The line that follows the signal is written before the signal is sent.
    const line = await find(() => (existsSync(reached) ? readFileSync(reached, 'utf8').split('\n')[1] || undefined : undefined), pointWithinMs)
    rmSync(armed, { force: true })
    if (line === undefined) return undefined
    const { pid, atMs, key } = JSON.parse(line) as { pid: number; atMs: number; key: string }
    return { atMs, details: { victim: 'the writer', at: point, pid, key } }
  }

  /** The owner stands still before its swap, past its lease, until another has taken over, and then goes on with what it was at. */
  async function stopWriter(): Promise<Struck | undefined> {
    const before = await live.ownerOf(incarnation)
    const struck = await pin('before-cas', 'SIGSTOP')
    if (struck === undefined) return undefined
    const heir = await find(async () => {
      const now = await live.ownerOf(incarnation)
      return now === before ? undefined : now
    }, takeOverWithinMs)
    process.kill(struck.details.pid as number, 'SIGCONT')
    return { ...struck, details: { ...struck.details, stoodMs: Date.now() - struck.atMs, heir: heir ?? 'nobody' } }
  }

  /** Without its lease an owner is not told before its next review, and another one takes the collection at once. */
  async function rivalWriters(): Promise<Struck | undefined> {
    const atMs = Date.now()
    let taken = 0
    while (Date.now() < atMs + rivalryMs) {
      taken += await redis.del(leaseKey(incarnation)).catch(() => 0)
      await pause(100)
    }
    return taken === 0 ? undefined : { atMs, details: { victim: 'the lease', taken } }
  }

  const kill = (name: string, strike: Blow['strike']): Blow => ({ name, isKill: true, strike })
  const blows: Blow[] = [
    kill('index-worker', strikeOwner),
    kill('embed-worker', strikeEmbedWorker),
    kill('embed child', strikeEmbedChild),
    kill('api', strikeApi),
    kill('merge process', strikeMerge),
    kill('redis', async () => strikePid(live.stack.process('redis').pid(), { victim: 'redis' })),
    kill('FLUSHALL', strikeFlush),
    ...pinnedPoints.map((point) => kill(point, () => pin(point, 'SIGKILL'))),
    { name: 'writer stopped', isKill: false, strike: stopWriter },
    { name: 'two writers', isKill: false, strike: rivalWriters }
  ]
  return { blows, close: () => redis.disconnect() }
}
