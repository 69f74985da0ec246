// Blows of the crash run: the victim of each blow, the way to strike, and the proof that the blow
// interrupted running work.
import { setTimeout as pause } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { leaseKey, queueKinds, queueName } from '@likeness/shared/contract/work'
import {
  mergePoints,
  type PinnedPoint,
  pinnedPoints
} from '../../apps/index-worker/src/test-hooks.ts'
import type { Random } from '../simulation/random.ts'
import { childrenOf, type LiveStack, parentOf } from '../support/live-stack.ts'
import { createPoints, find } from './points.ts'
import type { Workload } from './workload.ts'

export interface Struck {
  atMs: number
  details: Record<string, unknown>
}
export interface Blow {
  name: string
  /** True for a kill or a flush. Other blows stop or confuse a process, and are not counted. */
  isKill: boolean
  /** Returns undefined when the victim was missing or idle. */
  strike(): Promise<Struck | undefined>
}
export interface BlowDeps {
  live: LiveStack
  collectionId: string
  /** Queue with the chunks of the victim's collection. */
  route: string
  workload: Workload
  random: Random
  pointsDir: string
}

const victimWithinMs = 2_000
const mergeWithinMs = 10_000
const takeOverWithinMs = 30_000
const endsWithinMs = 10_000
const rivalryMs = 2_000
/** Time for which the disk is full. */
const fullMs = { least: 500, most: 3_000 }
/** Usual duration of a merge, about. */
const mergeMs = 60
/** Signal to continue; a running process ignores it. */
const harmless = 'SIGCONT'

export function createBlows(deps: BlowDeps): { blows: Blow[]; close: () => void } {
  const { live, collectionId, route, workload, random, pointsDir } = deps
  const points = createPoints(pointsDir)
  const redis = new Redis(live.stack.redisUrl, {
    maxRetriesPerRequest: 1,
    retryStrategy: () => 200
  })
  redis.on('error', () => undefined)
  const embedWorkers = ['embed-worker', 'embed-worker-2']
  const indexWorkers = ['index-worker', 'index-worker-2']

  async function isEmbedding(): Promise<true | undefined> {
    const active = await Promise.all(
      queueKinds.map((kind) => redis.llen(`bull:${queueName(kind, route)}:active`))
    ).catch(() => [0])
    return active.some((count) => count > 0) || undefined
  }

  function strikePid(
    pid: number | undefined,
    details: Record<string, unknown>
  ): Struck | undefined {
    if (pid === undefined) return undefined
    const atMs = Date.now()
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // The process ended by itself just before, so the blow did not happen.
      return undefined
    }
    return { atMs, details: { ...details, pid } }
  }

  async function strikeOwner(): Promise<Struck | undefined> {
    const owner = await live.ownerOf(collectionId)
    return owner === undefined
      ? undefined
      : strikePid(live.stack.process(owner).pid(), { victim: owner })
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
    return strikePid(pid === undefined ? undefined : childrenOf(pid)[0], {
      victim: `child of ${victim}`
    })
  }

  async function strikeApi(): Promise<Struck | undefined> {
    const url = await find(() => workload.busyApi(), victimWithinMs)
    if (url === undefined) return undefined
    const at = live.stack.apiUrls.indexOf(url)
    const victim = at === 0 ? 'api' : `api-${at + 1}`
    return strikePid(live.stack.process(victim).pid(), { victim })
  }

  /** Strikes at a random moment of a merge, after the start and before the end. */
  async function strikeMerge(): Promise<Struck | undefined> {
    for (const untilMs = Date.now() + mergeWithinMs; Date.now() < untilMs; ) {
      points.arm('after-merged', harmless)
      const reading = await points.met('merge-reading', harmless)
      if (reading === undefined) break
      await pause(random.between(0, mergeMs))
      const struck = strikePid(reading.pid, {
        victim: 'merge process',
        at: 'some moment of a merge'
      })
      if (points.disarm('after-merged') && struck !== undefined) return struck
    }
    points.disarm('after-merged')
    return undefined
  }

  /**
   * Stops a merge process before a write, kills the writer of the collection, and continues the
   * merge process. The merge process must end with its writer, and late writes must do no harm.
   */
  async function strikeOwnerOfMerge(): Promise<Struck | undefined> {
    const standing = await points.met('before-merged', 'SIGSTOP')
    if (standing === undefined) return undefined
    const parent = parentOf(standing.pid)
    const owner = indexWorkers.find(
      (name) => parent !== undefined && live.stack.process(name).pid() === parent
    )
    const struck =
      owner === undefined
        ? undefined
        : strikePid(parent, {
            victim: owner,
            at: 'before-merged',
            merger: standing.pid,
            key: standing.key
          })
    process.kill(standing.pid, 'SIGCONT')
    if (
      (await find(
        () => (parentOf(standing.pid) === undefined ? true : undefined),
        endsWithinMs
      )) === undefined
    )
      throw new Error(`the merge process ${standing.pid} outlives its owner`)
    return struck
  }

  async function strikeFlush(): Promise<Struck | undefined> {
    const keys = await redis.dbsize().catch(() => 0)
    if (keys === 0) return undefined
    const atMs = Date.now()
    await live.flushRedis()
    return { atMs, details: { victim: 'redis', keys } }
  }

  async function pin(point: PinnedPoint, signal: NodeJS.Signals): Promise<Struck | undefined> {
    const there = await points.met(point, signal)
    return (
      there && {
        atMs: there.atMs,
        details: {
          victim: mergePoints.some((one) => one === point) ? 'merge process' : 'the writer',
          at: point,
          pid: there.pid,
          key: there.key
        }
      }
    )
  }

  /**
   * Stops the writer before the swap, longer than its lease, until another process has taken over.
   * Then the stopped writer continues its work.
   */
  async function stopWriter(): Promise<Struck | undefined> {
    const before = await live.ownerOf(collectionId)
    const struck = await pin('before-cas', 'SIGSTOP')
    if (struck === undefined) return undefined
    const heir = await find(async () => {
      const now = await live.ownerOf(collectionId)
      return now === before ? undefined : now
    }, takeOverWithinMs)
    process.kill(struck.details.pid as number, 'SIGCONT')
    return {
      ...struck,
      details: { ...struck.details, stoodMs: Date.now() - struck.atMs, heir: heir ?? 'nobody' }
    }
  }

  /**
   * Deletes the lease of a writer. The writer does not notice before its next review, and another
   * process takes the collection at once.
   */
  async function rivalWriters(): Promise<Struck | undefined> {
    const atMs = Date.now()
    let taken = 0
    while (Date.now() < atMs + rivalryMs) {
      taken += await redis.del(leaseKey(collectionId)).catch(() => 0)
      await pause(100)
    }
    return taken === 0 ? undefined : { atMs, details: { victim: 'the lease', taken } }
  }

  /** Fills the disk of all data, also of Redis and the logs, and makes room again. */
  async function fillDisk(): Promise<Struck | undefined> {
    const { disk } = live
    if (disk === undefined) return undefined
    const atMs = Date.now()
    disk.fill()
    try {
      await pause(random.between(fullMs.least, fullMs.most))
    } finally {
      disk.makeRoom()
    }
    return { atMs, details: { victim: 'the disk', fullMs: Date.now() - atMs } }
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
    ...([...pinnedPoints, ...mergePoints.slice(1)] as const).map((point) =>
      kill(point, () => pin(point, 'SIGKILL'))
    ),
    kill('owner of a merge', strikeOwnerOfMerge),
    { name: 'writer stopped', isKill: false, strike: stopWriter },
    { name: 'two writers', isKill: false, strike: rivalWriters },
    ...(live.disk === undefined ? [] : [{ name: 'disk full', isKill: false, strike: fillDisk }])
  ]
  return { blows, close: () => redis.disconnect() }
}
