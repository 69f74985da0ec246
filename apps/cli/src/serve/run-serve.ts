// `likeness serve`: keeps a stack running in this process until a stop. `likeness up` starts the
// stack in the background.
import { join } from 'node:path'
import { parseCommand, parseCount } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { dataHome, fromCallersFolder } from '../config.ts'
import { chosenModelDir } from '../model/model-folders.ts'
import { isPortFree } from '../stack/free-port.ts'
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
  const { values } = parseCommand(args, { options: serveOptions, usage })
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

/** Ends only by a signal. */
export async function runServe(
  args: readonly string[],
  { lifecycle, logger, prepare, print }: CommandContext
): Promise<number> {
  const { port, dataDir, importRoots, modelDir } = await parseServe(
    args,
    `likeness serve [options]      keeps a stack up in the foreground\n${serveOptionsUsage}`
  )
  await prepare()
  const stack = await startStack({
    dataDir: join(dataDir, 'stack'),
    port,
    importRoots,
    modelDir,
    logger
  })
  lifecycle.onStop('stack', () => stack.stop())
  print(`Likeness is at ${stack.apiUrl}\nCtrl-C stops it.`)
  return new Promise(() => undefined)
}
