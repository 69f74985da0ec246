// `likeness up` and `likeness down`: start and stop this machine's stack in the background.
import { spawn } from 'node:child_process'
import { closeSync, fstatSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { connectOptions, connectUsage, parseCommand } from '../command-options.ts'
import type { CommandContext } from '../command.ts'
import { stackDir } from '../connect/connect.ts'
import { ownerOfDataDir } from '../stack/data-dir-lock.ts'
import { openLogFile, readLastLines } from '../stack/process-log.ts'
import { findStack } from '../stack/stack-address.ts'
import { UserError } from '../user-error.ts'
import { parseServe, serveOptions, serveOptionsUsage } from './run-serve.ts'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))
const upUsage = `likeness up [options]      starts this machine's stack in the background\n${serveOptionsUsage}`
const downUsage = `likeness down [options]      stops it\n${connectUsage}`
const startDeadlineMs = 120_000
const stopDeadlineMs = 70_000
const pollMs = 100

/** Exit code 0 when the stack runs, also when it ran already. */
export async function runUp(
  args: readonly string[],
  { prepare, print, say }: CommandContext
): Promise<number> {
  const dataDir = stackDir(
    parseCommand(args, { options: serveOptions, usage: upUsage }).values.data
  )
  const running = findStack(dataDir)
  if (running !== undefined) {
    print(`Likeness is up already at ${running.apiUrl} (process ${running.pid})`)
    return 0
  }
  const { port, importRoots, modelDir } = await parseServe(args, upUsage)
  await prepare()
  mkdirSync(join(dataDir, 'logs'), { recursive: true })
  const logFile = join(dataDir, 'logs/serve.log')
  say(`starting redis, index-worker, embed-worker and api; logs are in ${join(dataDir, 'logs')}`)
  const address = await launch({
    dataDir,
    logFile,
    args: [
      'serve',
      '--port',
      String(port),
      '--data',
      join(dataDir, '..'),
      ...(modelDir === undefined ? [] : ['--model', modelDir]),
      ...importRoots.flatMap((folder) => ['--import', folder])
    ]
  })
  print(`Likeness is at ${address.apiUrl} (process ${address.pid}); \`likeness down\` stops it`)
  return 0
}

/** UserError with the last lines of the log when the process ends before it can be reached. */
async function launch({
  dataDir,
  logFile,
  args
}: {
  dataDir: string
  logFile: string
  args: string[]
}) {
  const output = openLogFile(logFile)
  const fromBytes = fstatSync(output).size
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), program, ...args],
    { detached: true, stdio: ['ignore', output, output] }
  )
  closeSync(output)
  let ended: string | undefined
  child.on('error', (error) => (ended = error.message))
  child.on('exit', (code, signal) => (ended = signal ?? `exit code ${code}`))
  const endMs = Date.now() + startDeadlineMs
  for (;;) {
    const address = findStack(dataDir)
    if (address !== undefined) {
      child.unref()
      return address
    }
    if (ended !== undefined)
      throw new UserError(
        `the stack did not start (${ended}):\n${readLastLines(logFile, { count: 15, fromBytes }).join('\n')}`
      )
    if (Date.now() > endMs) {
      child.kill('SIGKILL')
      throw new UserError(`the stack was not up within ${startDeadlineMs / 1000} s: see ${logFile}`)
    }
    await pause(pollMs)
  }
}

/** Exit code 0 when the stack is down, also when it was down already. */
export async function runDown(
  args: readonly string[],
  { print, say }: CommandContext
): Promise<number> {
  const { values } = parseCommand(args, { options: connectOptions, usage: downUsage })
  const dataDir = stackDir(values.data)
  const pid = ownerOfDataDir(dataDir)
  if (pid === undefined) {
    print(`nothing runs over ${dataDir}`)
    return 0
  }
  say(`stopping process ${pid}`)
  process.kill(pid, 'SIGTERM')
  const endMs = Date.now() + stopDeadlineMs
  while (ownerOfDataDir(dataDir) === pid) {
    if (Date.now() > endMs)
      throw new UserError(`process ${pid} did not stop within ${stopDeadlineMs / 1000} s`)
    await pause(pollMs)
  }
  print('stopped')
  return 0
}
