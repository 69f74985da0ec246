// The embedded stack: redis and the three apps as supervised children of this process, over a
// single data directory.
import { randomBytes } from 'node:crypto'
import { existsSync, renameSync, rmSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import { messageOf } from '@likeness/shared/errors'
import type { Logger } from '@likeness/shared/process/logger'
import { appEnvironment, type S3Settings, type StackSettings } from './app-environment.ts'
import { type AppName, appNames, launchApp, repositoryRoot } from './app-process.ts'
import { lockDataDir } from './data-dir-lock.ts'
import { findFreePort } from './free-port.ts'
import { createManagedProcess, type ManagedProcess, type ReadyReport } from './managed-process.ts'
import { makePrivateFolder } from './private-files.ts'
import { createLogFile } from './process-log.ts'
import { launchRedis } from './redis-process.ts'
import { publishAddress } from './stack-address.ts'
import { stopStaleRedis } from './stale-redis.ts'

export interface StackOptions {
  dataDir: string
  /** 0 or absent: a free port. */
  port?: number
  objectStore?: 'dir' | S3Settings
  /** Folders that imports from disk may read. */
  importRoots?: readonly string[]
  embedProcesses?: number
  modelDir?: string
  /** Set for every app, over the launcher's own variables. */
  env?: Record<string, string>
  /** Set for a single app. */
  appEnv?: Partial<Record<AppName, Record<string, string>>>
  /** Number of processes of an app; the second api is called `api-2`. */
  replicas?: Partial<Record<AppName, number>>
  /** Other programs in place of the apps, for tests of the launcher. */
  entries?: Partial<Record<AppName, string>>
  startTimeoutMs?: number
  /** Told with the address: the stack ends when no command uses it. */
  whileUsed?: boolean
  logger: Logger
}

export interface Stack {
  apiUrl: string
  /** Addresses of all api processes, `apiUrl` first. */
  apiUrls: string[]
  redisUrl: string
  dataDir: string
  embedderSecret: string
  /** `redis`, `index-worker`, `embed-worker`, `api`, `api-2`, ... */
  process(name: string): ManagedProcess
  pids(): Record<string, number | undefined>
  /** The address is published once the stack has started. */
  address: { publish: () => void; withdraw: () => void }
  /** Stops all parts in reverse order, also after an error; frees the data directory. */
  stop(): Promise<void>
}

const stopDeadlineMs = 16_000
/** Most embed processes. Each holds a model and the pictures in work: some 300 MB. */
const mostEmbedProcesses = 16

export async function startStack(options: StackOptions): Promise<Stack> {
  const dataDir = resolve(options.dataDir)
  for (const folder of [dataDir, join(dataDir, 'logs'), join(dataDir, 'cache')])
    makePrivateFolder(folder)
  const unlock = lockDataDir(dataDir)
  const started: ManagedProcess[] = []
  const killAll = (): void => started.forEach((one) => void one.kill())
  process.on('exit', killAll)
  let withdraw = (): void => undefined
  let urls: Parameters<typeof publishAddress>[1] | undefined
  const address: Stack['address'] = {
    publish: () => {
      if (urls !== undefined) withdraw = publishAddress(dataDir, urls)
    },
    withdraw: () => withdraw()
  }
  let stopping: Promise<void> | undefined
  const stop = (): Promise<void> =>
    (stopping ??= stopAll(started, options.logger).finally(() => {
      process.off('exit', killAll)
      withdraw()
      unlock()
    }))
  try {
    const stack = await startAll({ options, dataDir, started, stop })
    urls = { apiUrl: stack.apiUrl, redisUrl: stack.redisUrl, whileUsed: options.whileUsed }
    address.publish()
    return { ...stack, address }
  } catch (error) {
    await stop()
    throw error
  }
}

async function stopAll(started: ManagedProcess[], logger: Logger): Promise<void> {
  for (const one of [...started].reverse()) {
    await one
      .stop(stopDeadlineMs)
      .catch((error: unknown) =>
        logger.error({ process: one.name, err: error }, 'stopping a process failed')
      )
  }
}

interface Starting {
  options: StackOptions
  dataDir: string
  started: ManagedProcess[]
  stop: () => Promise<void>
}

async function startAll({
  options,
  dataDir,
  started,
  stop
}: Starting): Promise<Omit<Stack, 'address'>> {
  const { logger, startTimeoutMs = 60_000 } = options
  const redisDir = join(dataDir, 'redis')
  const stale = await stopStaleRedis(redisDir)
  if (stale !== undefined) logger.warn({ pid: stale }, 'ended a redis that had outlived its stack')
  const place = {
    port: await findFreePort(),
    password: randomBytes(24).toString('hex'),
    dir: redisDir,
    log: createLogFile(join(dataDir, 'logs/redis.log'), 'redis')
  }
  const redis = createManagedProcess({
    name: 'redis',
    launch: () => launchRedis(place),
    logger,
    startTimeoutMs
  })
  started.push(redis)
  const redisUrl = (await startRedis(redis, redisDir, logger)).url!
  const embedderSecret = randomBytes(24).toString('hex')
  const settings = stackSettings({ options, dataDir, redisUrl, embedderSecret })
  const apps = appNames.flatMap((app) =>
    instancesOf(app, options).map((instance) =>
      manageApp({ app, instance, settings, options, startTimeoutMs })
    )
  )
  started.push(...apps)
  const reports = await Promise.all(apps.map((one) => one.start()))
  const apiUrls = reports
    .map((report) => report.url)
    .filter((url, at) => url !== undefined && apps[at]!.name.startsWith('api')) as string[]
  return {
    apiUrl: apiUrls[0]!,
    apiUrls,
    redisUrl,
    dataDir,
    embedderSecret,
    process(name) {
      const found = started.find((one) => one.name === name)
      if (found === undefined) throw new Error(`no process is called ${name}`)
      return found
    },
    pids: () => Object.fromEntries(started.map((one) => [one.name, one.pid()])),
    stop
  }
}

/**
 * Starts Redis. Files that Redis cannot read are put aside: it only holds hints, and may be emptied
 * at any time.
 */
async function startRedis(
  redis: ManagedProcess,
  dir: string,
  logger: Logger
): Promise<ReadyReport> {
  try {
    return await redis.start()
  } catch (error) {
    const [files, aside] = [join(dir, 'appendonlydir'), join(dir, 'appendonlydir.damaged')]
    if (!isUnreadableLog(error) || !existsSync(files)) throw error
    rmSync(aside, { recursive: true, force: true })
    renameSync(files, aside)
    logger.warn({ err: error, aside }, 'redis cannot read its files and begins empty')
    return await redis.start()
  }
}

const isUnreadableLog = (error: unknown): boolean =>
  /append only file|AOF (manifest|file)|reading the RDB/i.test(messageOf(error))

const instancesOf = (app: AppName, { replicas }: StackOptions): string[] =>
  Array.from({ length: replicas?.[app] ?? 1 }, (_, at) => (at === 0 ? app : `${app}-${at + 1}`))

function stackSettings({
  options,
  dataDir,
  redisUrl,
  embedderSecret
}: {
  options: StackOptions
  dataDir: string
  redisUrl: string
  embedderSecret: string
}): StackSettings {
  return {
    dataDir,
    objectStore: options.objectStore ?? 'dir',
    redisUrl,
    embedderSecret,
    modelDir: options.modelDir ?? `${repositoryRoot}models/likeness-nano`,
    importRoots: options.importRoots ?? [],
    embedProcesses: options.embedProcesses ?? Math.min(availableParallelism(), mostEmbedProcesses),
    apiPort: options.port ?? 0,
    logLevel: options.env?.LOG_LEVEL ?? 'info'
  }
}

interface AppPlan {
  app: AppName
  instance: string
  settings: StackSettings
  options: StackOptions
  startTimeoutMs: number
}

function manageApp({ app, instance, settings, options, startTimeoutMs }: AppPlan): ManagedProcess {
  // Only the first api gets the requested port; a restarted api keeps its port.
  let apiPort = instance === 'api' ? settings.apiPort : 0
  const log = createLogFile(join(settings.dataDir, 'logs', `${instance}.log`), instance)
  const launch = () => {
    const env = {
      ...appEnvironment(app, instance, { ...settings, apiPort }),
      ...options.env,
      ...options.appEnv?.[app]
    }
    makePrivateFolder(env.DATA_DIR!)
    const launched = launchApp({ app, env, log, entry: options.entries?.[app] })
    void launched.ready.then(({ url }) => {
      if (app === 'api' && url !== undefined) apiPort = Number(new URL(url).port)
    })
    return launched
  }
  return createManagedProcess({ name: instance, launch, logger: options.logger, startTimeoutMs })
}
