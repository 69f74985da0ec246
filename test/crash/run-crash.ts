// Runs the crash test once: starts the stack, runs the rounds of blows, and at the end reads
// everything back from every replica.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { chunkRoute } from '@likeness/shared/contract/work'
import type { S3Settings } from '../../apps/cli/src/stack/app-environment.ts'
import { createRandom } from '../simulation/random.ts'
import { type LiveStack, plainSettings, startLiveStack } from '../support/live-stack.ts'
import { createBlows } from './blows.ts'
import { checkReplicas } from './check-replicas.ts'
import { createExpectedVectors } from './expected-vectors.ts'
import { emptyTally, Oracle, type Tally } from './oracle.ts'
import { type Rounds, runRounds, settleJobs } from './rounds.ts'
import { createTimeline } from './timeline.ts'
import { createWorkload, idPrefix, roundMs } from './workload.ts'

export interface CrashOptions {
  /** Number of kills to count. A counted kill has interrupted running work. */
  kills: number
  /** Number of imported pictures. A round of one kill imports an equal share. */
  items: number
  seed: number
  /** Name of the blow that comes first. */
  first?: string
  objectStore?: 'dir' | S3Settings
  say: (line: string) => void
}
export interface CrashResult extends Tally {
  kills: number
  /** Number of ids that were acknowledged. */
  items: number
  recoveryP99S: number
  /** Counts for each kind of blow: with interrupted work, and without any work. */
  struck: Rounds['struck']
  /** Blows that this machine does not allow, with the reason. */
  notRun: string[]
  /** Folder with data, logs and timeline of a failed run. */
  keptIn: string | undefined
}

const collection = 'crash'
const processes = { api: 2, 'index-worker': 2, 'embed-worker': 2 }
const samplesOf = (items: number): number => Math.min(300, Math.ceil(items / 20))
/**
 * Number of pictures that two inference processes process together. Each picture waits a little, so
 * that an import lasts for a round.
 */
const picturesAtATime = 12
const mostDelayMs = 600
/** Size in bytes of the disk with the data: much more than a run writes. */
const diskBytesOf = (items: number): number => 512 * 1024 ** 2 + items * 256 * 1024
const noDisk = 'disk full: this process has no right to mount a tmpfs (run it as root)'
/** Number of sealed segments, about the same as in a collection of any size. */
const sealedSegments = 50

export async function runCrash(options: CrashOptions): Promise<CrashResult> {
  const pointsDir = await mkdtemp(join(tmpdir(), 'likeness-points-'))
  // All of the history is folded, and deleted soon.
  const ofWriter = JSON.stringify({ pointsDir, foldSlots: 2 })
  const appEnv = {
    'index-worker': { LIKENESS_TEST_HOOKS: ofWriter, SNAPSHOT_RETENTION_MS: '1000' }
  }
  const hooks = {
    delayOnPrefixMs: {
      [idPrefix]: Math.min(
        mostDelayMs,
        Math.round((roundMs * picturesAtATime) / (options.items / options.kills))
      )
    }
  }
  const live = await startLiveStack({
    objectStore: options.objectStore,
    replicas: processes,
    appEnv,
    hooks,
    diskBytes: diskBytesOf(options.items)
  })
  let isSound = false
  try {
    const result = await runOn(live, options, pointsDir)
    isSound = result.lost + result.duplicated + result.resurrected === 0
    const notRun = live.disk === undefined ? [noDisk] : []
    return { ...result, notRun, keptIn: isSound ? undefined : live.dir }
  } catch (error) {
    options.say(`given up, data, logs and timeline are in ${live.dir}`)
    throw error
  } finally {
    await live.stop({ keep: !isSound })
    await rm(pointsDir, { recursive: true, force: true })
  }
}

async function runOn(
  live: LiveStack,
  { kills, items, seed, first, say }: CrashOptions,
  pointsDir: string
): Promise<Omit<CrashResult, 'keptIn' | 'notRun'>> {
  const timeline = createTimeline(join(live.dir, 'timeline.ndjson'), say)
  const vectors = await createExpectedVectors(live.dir)
  const oracle = new Oracle()
  const tally = emptyTally()
  const random = createRandom(seed)
  const { incarnation: collectionId, embedding } = await live.api.create(collection, {
    settings: {
      ...plainSettings,
      seal_threshold: Math.max(plainSettings.seal_threshold, Math.round(items / sealedSegments))
    }
  })
  const workload = createWorkload({ live, collection, oracle, vectors, seed })
  const { blows, close } = createBlows({
    live,
    collectionId,
    route: chunkRoute(embedding.version),
    workload,
    random,
    pointsDir
  })
  try {
    timeline.note('started', { seed, kills, items, store: live.stack.dataDir })
    const rounds: Rounds = {
      live,
      workload,
      blows,
      random,
      timeline,
      deck: blows.filter(({ name }) => name === first),
      kills: 0,
      recoveriesMs: [],
      struck: {}
    }
    await runRounds(rounds, { kills, size: Math.ceil(items / kills) })
    await settleJobs(rounds, tally)
    timeline.note('all jobs finished')
    await checkReplicas(
      {
        apis: live.apis,
        collection,
        oracle,
        vectors,
        random,
        samples: samplesOf(oracle.versions.size)
      },
      tally
    )
    const result = {
      ...tally,
      kills: rounds.kills,
      items: oracle.versions.size,
      recoveryP99S: percentile99(rounds.recoveriesMs) / 1000,
      struck: rounds.struck
    }
    timeline.note('read back', result)
    return result
  } finally {
    close()
    await vectors.close()
  }
}

function percentile99(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.ceil(0.99 * sorted.length) - 1] ?? 0
}
