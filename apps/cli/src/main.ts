// `likeness <command>`: runs a command, stops what it started, exits with its code.
import { setTimeout as pause } from 'node:timers/promises'
import { createLifecycle } from '@likeness/shared/lifecycle'
import { createLog } from '@likeness/shared/log'
import type { Command, CommandContext } from './command.ts'
import { runDemo } from './demo/run-demo.ts'
import { runStart } from './start/run-start.ts'
import { UserError } from './user-error.ts'

const commands: Record<string, Command> = { demo: runDemo, start: runStart }
const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
const stopDeadlineMs = 60_000

const log = createLog({ app: 'likeness', level: 'warn' })
const lifecycle = createLifecycle({ log })
const context: CommandContext = {
  lifecycle,
  log,
  print: (text) => void process.stdout.write(`${text}\n`),
  say: (text) => void process.stderr.write(`${text}\n`),
  write: (text) => void process.stdout.write(text),
  isTerminal: process.stdout.isTTY === true,
  nowMs: () => Date.now()
}

/** Resolves with an exit code at the first signal, or when the process that started this one is gone; a second signal ends it at once. */
function interruption(): Promise<number> {
  return new Promise((resolve) => {
    let isSecond = false
    const interrupt = (code: number): void => {
      if (isSecond) process.exit(code)
      isSecond = true
      process.stderr.write('\nstopping\n')
      resolve(code)
    }
    for (const [signal, code] of Object.entries(signalCodes)) process.on(signal, () => interrupt(code))
    process.on('disconnect', () => interrupt(signalCodes.SIGTERM))
  })
}

async function run([name = '', ...args]: readonly string[]): Promise<number> {
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (command === undefined) throw new UserError(`usage: likeness ${Object.keys(commands).join('|')} [options]`)
  return command(args, context)
}

let exitCode: number
try {
  exitCode = await Promise.race([run(process.argv.slice(2)), interruption()])
} catch (error) {
  exitCode = error instanceof UserError ? 2 : 1
  process.stderr.write(error instanceof UserError ? `likeness: ${error.message}\n` : `likeness: ${error instanceof Error ? error.stack : String(error)}\n`)
}
const isStopped = await Promise.race([lifecycle.stop().then(() => true), pause(stopDeadlineMs, false)])
if (!isStopped) process.stderr.write('stopping took too long\n')
process.exit(isStopped ? exitCode : 1)
