// The whole system as real processes over a temporary folder, with the smallest model. It is
// started once per test file.
import { readFileSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Redis } from 'ioredis'
import { createLogger } from '@likeness/shared/process/logger'
import { writeTinyModel } from '@likeness/vision'
import { type Stack, type StackOptions, startStack } from '../../apps/cli/src/stack/start-stack.ts'
import { createLiveApi, type LiveApi } from './live-api.ts'
import { pictureOf } from './pictures.ts'
import { mountSmallDisk } from './small-disk.ts'

export interface LiveStackOptions
  extends Pick<StackOptions, 'replicas' | 'appEnv' | 'env' | 'objectStore'> {
  embedProcesses?: number
  /** Size in bytes of a disk of its own for the data; without the right to mount there is none. */
  diskBytes?: number
  /** Value of LIKENESS_TEST_HOOKS for the embed-worker. */
  hooks?: {
    killOnSha256?: string[]
    delayOnIdMs?: Record<string, number>
    delayOnPrefixMs?: Record<string, number>
    holdOnPrefix?: Record<string, string>
  }
}
export interface GalleryEntry {
  path: string
  label: string
}

export type LiveStack = Awaited<ReturnType<typeof startLiveStack>>

/**
 * Settings with one row per item, so that rows and items must be equal. Segments are sealed early,
 * so that the real index is used.
 */
export const plainSettings = { view_sizes: [], subjects: false, seal_threshold: 64 }

export async function startLiveStack({
  hooks,
  embedProcesses = 1,
  env,
  appEnv,
  replicas,
  objectStore,
  diskBytes
}: LiveStackOptions = {}) {
  const dir = await mkdtemp(join(tmpdir(), 'likeness-live-'))
  const root = join(dir, 'gallery')
  await mkdir(root)
  await writeTinyModel(join(dir, 'model'))
  const disk = diskBytes === undefined ? undefined : mountSmallDisk(join(dir, 'data'), diskBytes)
  const stack: Stack = await startStack({
    dataDir: join(dir, 'data'),
    modelDir: join(dir, 'model'),
    importRoots: [root],
    embedProcesses,
    replicas,
    objectStore,
    env: {
      RECONCILE_INTERVAL_MS: '1500',
      COMMIT_INTERVAL_MS: '100',
      LEASE_MS: '2000',
      REPLICA_POLL_MS: '300',
      LOG_LEVEL: 'info',
      ...env
    },
    appEnv: {
      ...appEnv,
      'embed-worker': {
        LIKENESS_TEST_HOOKS: JSON.stringify(hooks ?? {}),
        ...appEnv?.['embed-worker']
      }
    },
    startTimeoutMs: 240_000,
    logger: createLogger({ app: 'test', level: process.env.TEST_LOG_LEVEL ?? 'silent' })
  }).catch(async (error: unknown) => {
    disk?.remove({ keep: false })
    await rm(dir, { recursive: true, force: true })
    throw error
  })
  const apis = stack.apiUrls.map((url) => createLiveApi(url)) as [LiveApi, ...LiveApi[]]

  return {
    dir,
    root,
    stack,
    /** undefined: the data lies on the disk of this machine. */
    disk,
    apis,
    api: apis[0],
    /** Writes a file into the folder that imports may read. */
    async store(path: string, bytes: Uint8Array): Promise<void> {
      await mkdir(dirname(join(root, path)), { recursive: true })
      await writeFile(join(root, path), bytes)
    },
    /** Writes pictures `first` to `first + count - 1` as files of the import folder. */
    async storeGallery(
      folder: string,
      { first, count }: { first: number; count: number }
    ): Promise<GalleryEntry[]> {
      const entries: GalleryEntry[] = []
      for (let seed = first; seed < first + count; seed++) {
        const entry = { path: `${folder}/${seed}`, label: `mark ${seed}` }
        await this.store(entry.path, await pictureOf(seed))
        entries.push(entry)
      }
      return entries
    },
    async flushRedis(): Promise<void> {
      const redis = new Redis(stack.redisUrl, { maxRetriesPerRequest: null })
      redis.on('error', () => undefined)
      await redis.flushall()
      redis.disconnect()
    },
    /** Resolves when the embed-workers process no chunk. */
    async untilNothingIsEmbedded(): Promise<void> {
      const redis = new Redis(stack.redisUrl, { maxRetriesPerRequest: null })
      redis.on('error', () => undefined)
      while ((await redis.keys('*:active')).length > 0)
        await new Promise((resolve) => setTimeout(resolve, 50))
      redis.disconnect()
    },
    /** Sends SIGKILL, and waits until the supervisor has started the process again. */
    async killAndRevive(name: string): Promise<void> {
      const one = stack.process(name)
      const before = one.pid()
      await one.kill()
      while (one.pid() === undefined || one.pid() === before)
        await new Promise((resolve) => setTimeout(resolve, 50))
      await one.whenReady()
    },
    /**
     * Returns the name of the index-worker that last took a collection, from the logs of the
     * workers.
     */
    async ownerOf(collectionId: string): Promise<string | undefined> {
      const claims: { name: string; time: string }[] = []
      for (const name of ['index-worker', 'index-worker-2']) {
        const text = await readFile(join(dir, 'data/logs', `${name}.log`), 'utf8').catch(() => '')
        const owning = text
          .split('\n')
          .filter((line) => line.includes('"msg":"owning"') && line.includes(collectionId))
        if (owning.length > 0)
          claims.push({ name, time: (JSON.parse(owning.at(-1)!) as { time: string }).time })
      }
      return claims.sort((a, b) => (a.time < b.time ? 1 : -1))[0]?.name
    },
    /** `keep`: does not delete data and logs. */
    async stop({
      keep = process.env.TEST_KEEP_DATA !== undefined
    }: {
      keep?: boolean
    } = {}): Promise<void> {
      await stack.stop()
      disk?.remove({ keep })
      if (!keep) await rm(dir, { recursive: true, force: true, maxRetries: 5 })
    }
  }
}

export const listOf = (entries: readonly GalleryEntry[]): string =>
  entries.map(({ path, label }) => `${path}\t${label}\n`).join('')

/** Returns the child processes of a process: the inference processes of an embed-worker. */
export const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
    .split(' ')
    .filter((text) => text !== '')
    .map(Number)

/** Returns undefined when the process has ended. */
export function parentOf(pid: number): number | undefined {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return /^State:\tZ/m.test(status) ? undefined : Number(/^PPid:\t(\d+)$/m.exec(status)![1])
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined
    throw error
  }
}
