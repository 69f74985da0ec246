// `likeness <command>`: runs a command, stops the started parts, and exits with the command's code.
import { setTimeout as pause } from 'node:timers/promises'
import { isAppError, messageOf } from '@likeness/shared/errors'
import { createLifecycle } from '@likeness/shared/process/lifecycle'
import { createLogStream } from '@likeness/shared/process/log-stream'
import { createLogger } from '@likeness/shared/process/logger'
import { findMachineFailure } from '@likeness/shared/process/machine-failure'
import { onParentGone } from '@likeness/shared/process/parent'
import { ApiProblem } from './api/api-problem.ts'
import { HelpAsked } from './command-options.ts'
import type { CommandContext } from './command.ts'
import { commands } from './commands.ts'
import { isNetworkFailure } from './connect/keep-trying.ts'
import { prepareClone } from './prepare.ts'
import { UserError } from './user-error.ts'

const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
const stopDeadlineMs = 60_000

/** Codes of a program whose output nobody reads any more, and whose output has no room. */
const outputCodes = { closed: 141, failed: 1 } as const
/** Commands that run a stack in this process. */
const stackCommands = new Set(['serve', 'start'])
/** Commands that write into the data folder only. What they write is for the user alone. */
const privateCommands = new Set(['up', 'serve', 'start', 'model', 'eval', 'example', 'demo'])

const stream = createLogStream({ app: 'likeness', fd: 2 })
const logger = createLogger({ app: 'likeness', level: 'warn', stream })
const lifecycle = createLifecycle({ logger })
const context: CommandContext = {
  lifecycle,
  logger,
  prepare: prepareClone,
  print: (text) => void process.stdout.write(`${text}\n`),
  say: (text) => void process.stderr.write(`${text}\n`),
  write: (text) => void process.stdout.write(text),
  isTerminal: process.stdout.isTTY === true,
  nowMs: () => Date.now()
}

/**
 * Resolves with an exit code at the first signal, or when the parent process is gone. A second
 * signal ends this process at once.
 */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    let isSecond = false
    const interrupt = (code: number): void => {
      if (isSecond) process.exit(code)
      isSecond = true
      process.stderr.write('\nstopping\n')
      resolve(code)
    }
    for (const [signal, code] of Object.entries(signalCodes))
      process.on(signal, () => interrupt(code))
    onParentGone(() => interrupt(signalCodes.SIGTERM))
  })
}

/** Exit code of a program whose output could not be written. */
let outputCode: number | undefined

/** Resolves when the output cannot be written. A stack goes on without its output. */
function lostOutput([name = '']: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    process.stdout.on('error', (error: NodeJS.ErrnoException) => {
      if (outputCode !== undefined || stackCommands.has(name)) return
      outputCode = error.code === 'EPIPE' ? outputCodes.closed : outputCodes.failed
      if (error.code !== 'EPIPE')
        process.stderr.write(`likeness: the output cannot be written: ${textOf(error)}\n`)
      resolve(outputCode)
    })
  })
}

async function run([name = '', ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined)
    throw new UserError(`there is no command ${name}; ${Object.keys(commands).join(', ')}`)
  if (privateCommands.has(name)) process.umask(0o077)
  return command(args, context)
}

/** An error of the system, as a folder that may not be read. Its message names the file. */
const isFileError = (error: unknown): error is Error =>
  error instanceof Error && 'syscall' in error && 'path' in error

/**
 * Text of an error. A problem that the user can solve is a single message, such as a full disk; any
 * other error is ours, with its stack.
 */
function textOf(error: unknown): string {
  if (error instanceof UserError || error instanceof ApiProblem) return error.message
  if (isAppError(error) && error.code !== 'internal') return error.message
  const failure = findMachineFailure(error)
  if (failure !== undefined) return `${failure.text} (${messageOf(error)})`
  if (isFileError(error)) return error.message
  return error instanceof Error ? String(error.stack) : String(error)
}

function report(error: unknown): void {
  if (isNetworkFailure(error))
    return void process.stderr.write(
      'likeness: the API went away: run the command again, a build goes on where it was\n'
    )
  process.stderr.write(`likeness: ${textOf(error)}\n`)
}

function exitCodeOf(error: unknown): number {
  if (error instanceof HelpAsked) return 0
  return error instanceof UserError ? 2 : 1
}

let exitCode: number
try {
  const args = process.argv.slice(2)
  exitCode = await Promise.race([run(args), interruption(), lostOutput(args)])
} catch (error) {
  if (error instanceof HelpAsked) process.stdout.write(`${error.message}\n`)
  else report(error)
  exitCode = exitCodeOf(error)
}
const isStopped = await Promise.race([
  lifecycle.stop().then(() => true),
  pause(stopDeadlineMs, false)
])
if (!isStopped) process.stderr.write('stopping took too long\n')
// What was printed is written, or has failed, when this is called back.
await new Promise((resolve) => process.stdout.write('', resolve))
process.exit(isStopped ? (outputCode ?? exitCode) : 1)
