// `likeness serve`: keeps a stack running in this process until a stop. `likeness up` starts the
// stack in the background, and other commands do where nothing runs.
import { join } from 'node:path'
import { createLogger, type Logger } from '@likeness/shared/process/logger'
import { parseCommand, parseCount } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { dataHome, fromCallersFolder } from '../config.ts'
import { chosenModelDir } from '../model/model-folders.ts'
import { isPortFree } from '../stack/free-port.ts'
import { untilUnused } from '../stack/keep-while-used.ts'
import { makeDataFolder } from '../stack/private-files.ts'
import { createLogFile } from '../stack/process-log.ts'
import { startStack } from '../stack/start-stack.ts'
import { UserError } from '../user-error.ts'

export const serveOptions = {
  port: { type: 'string', default: '8080' },
  data: { type: 'string' },
  model: { type: 'string' },
  import: { type: 'string', multiple: true, default: [] as string[] }
} as const
export const serveOptionsUsage = `  --port N       where the API and its page are served, on 127.0.0.1 (default 8080; 0 takes a free one)
  --data DIR     data folder (default $LIKENESS_HOME, else .likeness in the repository)
  --model NAME   a model (see likeness model list) or its folder (default $MODEL_DIR, else the built-in one)
  --import DIR   a folder whose pictures may be imported; may be given several times`
export const startUsage = `npm start -- [options]\n${serveOptionsUsage}`

export interface ServeSettings {
  port: number
  /** The data folder; the stack is in `stack` below it. */
  dataDir: string
  importRoots: string[]
  /** undefined: the built-in model. */
  modelDir: string | undefined
}

/** UserError also when the port is in use. */
export async function parseServe(args: readonly string[], usage: string): Promise<ServeSettings> {
  return settingsOf(parseCommand(args, { options: serveOptions, usage }).values)
}

async function settingsOf(values: {
  port: string
  data?: string
  model?: string
  import: string[]
}): Promise<ServeSettings> {
  const port = parseCount('--port', values.port, [0, 65_535])!
  if (port !== 0 && !(await isPortFree(port)))
    throw new UserError(`port ${port} is in use: stop what listens there, or give another --port`)
  return {
    port,
    dataDir: values.data === undefined ? dataHome() : fromCallersFolder(values.data),
    importRoots: values.import.map(fromCallersFolder),
    modelDir: chosenModelDir(values.model, values.data)
  }
}

const foregroundOptions = {
  ...serveOptions,
  log: { type: 'string' },
  'while-used': { type: 'boolean', default: false }
} as const
const foregroundUsage = `likeness serve [options]      keeps a stack up in the foreground
${serveOptionsUsage}
  --log FILE     the log of this process goes to a file, which is kept short
  --while-used   ends when no command uses the stack`

/** Ends by a signal, and with `--while-used` also when nobody uses the stack. */
export async function runServe(
  args: readonly string[],
  { lifecycle, logger, prepare, print }: CommandContext
): Promise<number> {
  const { values } = parseCommand(args, { options: foregroundOptions, usage: foregroundUsage })
  const { port, dataDir, importRoots, modelDir } = await settingsOf(values)
  await prepare()
  const stackFolder = join(dataDir, 'stack')
  makeDataFolder(stackFolder)
  const stack = await startStack({
    dataDir: stackFolder,
    port,
    importRoots,
    modelDir,
    whileUsed: values['while-used'],
    logger: values.log === undefined ? logger : fileLogger(values.log)
  })
  lifecycle.onStop('stack', () => stack.stop())
  print(`Likeness is at ${stack.apiUrl}\nCtrl-C stops it.`)
  if (!values['while-used']) return new Promise(() => undefined)
  await untilUnused(stackFolder, stack.address)
  return 0
}

const fileLogger = (file: string): Logger =>
  createLogger({
    app: 'likeness',
    level: 'warn',
    stream: createLogFile(fromCallersFolder(file), 'likeness')
  })
