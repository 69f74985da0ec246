// Finds the API for a command: the named API, the stack that runs over the data folder, or a stack
// that is started for the command.
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { type ApiClient, createApiClient } from '../api/api-client.ts'
import type { CommandContext } from '../command.ts'
import {
  apiFromEnvironment,
  dataHome,
  fromCallersFolder,
  modelDirFromEnvironment
} from '../config.ts'
import { launchServe } from '../stack/launch-serve.ts'
import { ownerOfDataDir } from '../stack/data-dir-lock.ts'
import { makeDataFolder } from '../stack/private-files.ts'
import { findStack, type StackAddress } from '../stack/stack-address.ts'
import { isStackUsed, useStack } from '../stack/stack-users.ts'
import { UserError } from '../user-error.ts'

const startingMs = 60_000
/** Less than the time in which this program must stop. */
const endingMs = 55_000
const pollMs = 100

export interface ConnectOptions {
  /** Address of an API; default LIKENESS_API, else the stack that runs over the data folder. */
  api?: string
  data?: string
  /** Folders that a stack started here may import from. */
  importRoots?: readonly string[]
  /** Folder of the model of a stack started here; default MODEL_DIR, else the built-in model. */
  modelDir?: string
}

export const stackDir = (data: string | undefined): string =>
  join(data === undefined ? dataHome() : fromCallersFolder(data), 'stack')

/** UserError when a named API does not answer. A started stack ends with its last command. */
export async function connect(
  context: CommandContext,
  { api, data, importRoots = [], modelDir = modelDirFromEnvironment() }: ConnectOptions
): Promise<ApiClient> {
  const { url, apiKey } = apiFromEnvironment()
  const given = api ?? url
  if (given !== undefined) return reach(given.replace(/\/+$/, ''), apiKey)
  const { apiUrl } = await useLocalStack(context, {
    dataDir: stackDir(data),
    importRoots,
    modelDir
  })
  return reach(apiUrl, apiKey)
}

interface LocalStack {
  dataDir: string
  importRoots: readonly string[]
  modelDir: string | undefined
}

/**
 * The stack that runs over the folder, or one that is started for this command and for those that
 * come meanwhile. It ends with the last of them.
 */
export async function useLocalStack(
  context: CommandContext,
  { dataDir, ...stack }: LocalStack
): Promise<StackAddress> {
  makeDataFolder(dataDir)
  const leave = useStack(dataDir)
  let startedFor: StackAddress | undefined
  context.lifecycle.onStop('stack', async () => {
    leave()
    if (startedFor !== undefined) await untilEnded(dataDir, startedFor.pid)
  })
  const running = await findStackSoon(dataDir)
  if (running !== undefined) {
    if (running.whileUsed === true) startedFor = running
    return running
  }
  context.say(
    `nothing runs over ${dataDir}: starting redis, index-worker, embed-worker and api for this command`
  )
  await context.prepare()
  startedFor = await launchServe({ dataDir, ...stack, port: 0, whileUsed: true })
  return startedFor
}

/** Waits for the end of the stack, unless others use it. */
async function untilEnded(dataDir: string, pid: number): Promise<void> {
  const endMs = Date.now() + endingMs
  while (ownerOfDataDir(dataDir) === pid && !isStackUsed(dataDir) && Date.now() < endMs)
    await pause(pollMs)
}

/** Finds the running stack, and waits for a stack that is just starting or stopping. */
export async function findStackSoon(dataDir: string): Promise<StackAddress | undefined> {
  const endMs = Date.now() + startingMs
  for (;;) {
    const running = findStack(dataDir)
    if (running !== undefined || ownerOfDataDir(dataDir) === undefined) return running
    if (Date.now() > endMs)
      throw new UserError(
        `process ${ownerOfDataDir(dataDir)} holds ${dataDir} and serves no API: stop it, or give another --data folder`
      )
    await pause(pollMs)
  }
}

async function reach(url: string, apiKey: string | undefined): Promise<ApiClient> {
  if (!/^https?:\/\/[^/]/.test(url))
    throw new UserError(`${url} is no address of an API: http://host:port`)
  const response = await fetch(`${url}/livez`, { signal: AbortSignal.timeout(10_000) }).catch(
    (error: unknown) => {
      throw new UserError(`no API answers at ${url} (${reasonOf(error)})`)
    }
  )
  if (!response.ok)
    throw new UserError(
      `${url}/livez answers ${response.status}: this is no Likeness API, or it is not well`
    )
  return createApiClient({ url, apiKey })
}

/** Reads the reason from the cause: fetch only says "fetch failed". */
function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error
  return cause instanceof Error
    ? cause.message || String((cause as NodeJS.ErrnoException).code)
    : String(cause)
}
