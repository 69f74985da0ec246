// Finds the API for a command: the named API, the stack that runs over the data folder, or a stack
// that the command starts and stops itself.
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
import { ownerOfDataDir } from '../stack/data-dir-lock.ts'
import { findStack, type StackAddress } from '../stack/stack-address.ts'
import { startStack } from '../stack/start-stack.ts'
import { UserError } from '../user-error.ts'

const startingMs = 60_000

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

/** UserError when a named API does not answer. A started stack is stopped with the program. */
export async function connect(
  context: CommandContext,
  { api, data, importRoots = [], modelDir = modelDirFromEnvironment() }: ConnectOptions
): Promise<ApiClient> {
  const { url, apiKey } = apiFromEnvironment()
  const given = api ?? url
  if (given !== undefined) return reach(given.replace(/\/+$/, ''), apiKey)
  const dataDir = stackDir(data)
  const running = await findStackSoon(dataDir)
  if (running !== undefined) return reach(running.apiUrl, apiKey)
  context.say(
    `nothing runs over ${dataDir}: starting redis, index-worker, embed-worker and api for this command`
  )
  await context.prepare()
  const stack = await startStack({ dataDir, importRoots, modelDir, logger: context.logger })
  context.lifecycle.onStop('stack', () => stack.stop())
  return createApiClient({ url: stack.apiUrl })
}

/** Finds the running stack, and waits for a stack that is just starting or stopping. */
async function findStackSoon(dataDir: string): Promise<StackAddress | undefined> {
  const endMs = Date.now() + startingMs
  for (;;) {
    const running = findStack(dataDir)
    if (running !== undefined || ownerOfDataDir(dataDir) === undefined) return running
    if (Date.now() > endMs)
      throw new UserError(
        `process ${ownerOfDataDir(dataDir)} holds ${dataDir} and serves no API: stop it, or give another --data folder`
      )
    await pause(100)
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
