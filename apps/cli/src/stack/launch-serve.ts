// Starts `likeness serve` in the background, and waits until its API can be reached.
import { spawn } from 'node:child_process'
import { closeSync, fstatSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { ownerOfDataDir } from './data-dir-lock.ts'
import { makeDataFolder, makePrivateFolder, withPrivateFiles } from './private-files.ts'
import { openLogFile, readLastLines } from './process-log.ts'
import { findStack, type StackAddress } from './stack-address.ts'
import { UserError } from '../user-error.ts'

const program = fileURLToPath(new URL('../main.ts', import.meta.url))
const startDeadlineMs = 120_000
const pollMs = 100

export interface ServePlan {
  /** Folder of the stack: `stack` in the data folder. */
  dataDir: string
  port: number
  importRoots: readonly string[]
  modelDir: string | undefined
  /** The stack ends when no command uses it any more. */
  whileUsed?: boolean
}

const argumentsOf = ({ dataDir, port, importRoots, modelDir, whileUsed }: ServePlan): string[] => [
  'serve',
  ...(whileUsed === true ? ['--while-used'] : []),
  '--port',
  String(port),
  '--data',
  join(dataDir, '..'),
  '--log',
  join(dataDir, 'logs/supervisor.log'),
  ...(modelDir === undefined ? [] : ['--model', modelDir]),
  ...importRoots.flatMap((folder) => ['--import', folder])
]

/**
 * UserError with the last lines of the log when the process ends before it can be reached. Where
 * another process takes the folder first, the address is that of its stack.
 */
export async function launchServe(plan: ServePlan): Promise<StackAddress> {
  const { dataDir } = plan
  makeDataFolder(dataDir)
  makePrivateFolder(join(dataDir, 'logs'))
  const logFile = join(dataDir, 'logs/serve.log')
  const output = openLogFile(logFile)
  const fromBytes = fstatSync(output).size
  const child = withPrivateFiles(() =>
    spawn(
      process.execPath,
      ['--import', import.meta.resolve('tsx'), program, ...argumentsOf(plan)],
      { detached: true, stdio: ['ignore', output, output] }
    )
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
    if (ended !== undefined && ownerOfDataDir(dataDir) === undefined)
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
