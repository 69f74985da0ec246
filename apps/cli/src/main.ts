// `likeness <command>`: runs a command, stops what it started, exits with its code.
import { setTimeout as pause } from 'node:timers/promises'
import { createLifecycle } from '@likeness/shared/process/lifecycle'
import { createLogger } from '@likeness/shared/process/logger'
import { runAlias } from './admin/run-alias.ts'
import { runRebuild } from './admin/run-rebuild.ts'
import { runJobs, runStatus } from './admin/run-status.ts'
import { runVerify } from './admin/run-verify.ts'
import { ApiProblem } from './api-client.ts'
import { HelpAsked } from './command-options.ts'
import type { Command, CommandContext } from './command.ts'
import { isNetworkFailure } from './connect/keep-trying.ts'
import { runDemo } from './demo/run-demo.ts'
import { runEval } from './evaluation/run-eval.ts'
import { runExample } from './examples/run-example.ts'
import { runExport } from './export/run-export.ts'
import { runAppend, runBuild, runRemove } from './gallery/run-build.ts'
import { runImportGallery } from './import-gallery/run-import-gallery.ts'
import { runModel } from './model/run-model.ts'
import { runProfile } from './profile/run-profile.ts'
import { runSearch } from './search/run-search.ts'
import { runServe } from './serve/run-serve.ts'
import { runStart } from './serve/run-start.ts'
import { runDown, runUp } from './serve/run-up.ts'
import { UserError } from './user-error.ts'

const commands: Record<string, { run: Command; does: string }> = {
  build: { run: runBuild, does: "brings the pictures of a gallery's yaml into its collection" },
  append: { run: runAppend, does: 'adds the pictures of a list to a gallery' },
  remove: { run: runRemove, does: 'takes the items of a list out of a gallery' },
  search: { run: runSearch, does: 'says what is on a picture, or on every picture of a folder' },
  export: { run: runExport, does: 'writes a gallery as a standard Faiss index with its id map' },
  'import-gallery': { run: runImportGallery, does: "takes over a PP-ShiTu gallery, or an exported one" },
  up: { run: runUp, does: "starts this machine's stack in the background" },
  down: { run: runDown, does: 'stops it' },
  serve: { run: runServe, does: 'keeps a stack up in the foreground' },
  status: { run: runStatus, does: 'shows what runs and what it holds' },
  jobs: { run: runJobs, does: 'lists jobs, or the failed items of one' },
  eval: { run: runEval, does: 'measures how well a set of labelled pictures is recognised' },
  model: { run: runModel, does: 'brings in your own YOLO, and shows and measures models' },
  profile: { run: runProfile, does: "learns a projection from a gallery's own pictures, and shows those there are" },
  verify: { run: runVerify, does: "reads a collection's files against its manifest" },
  rebuild: { run: runRebuild, does: 'makes a collection again from its log, also a damaged one' },
  alias: { run: runAlias, does: 'gives collections second names that move in one step' },
  demo: { run: runDemo, does: 'draws a gallery of brand marks and searches scenes in it' },
  example: { run: runExample, does: 'draws a gallery of products, vehicles or logos, and says how many queries are answered rightly' },
  start: { run: runStart, does: 'keeps a stack up with that gallery loaded' }
}
const signalCodes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
const stopDeadlineMs = 60_000

const logger = createLogger({ app: 'likeness', level: 'warn' })
const lifecycle = createLifecycle({ logger })
const context: CommandContext = {
  lifecycle,
  logger,
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
  if (command !== undefined) return command.run(args, context)
  if (!['', 'help', '--help', '-h'].includes(name)) throw new UserError(`there is no command ${name}\n${usage()}`)
  context.print(usage())
  return 0
}

function usage(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length))
  const lines = Object.entries(commands).map(([name, { does }]) => `  ${name.padEnd(width)}  ${does}`)
  return `likeness COMMAND [options]\n${lines.join('\n')}\nlikeness COMMAND --help shows the options of one.`
}

/** What the user can change is one message; anything else is ours, with its stack. */
function report(error: unknown): void {
  if (isNetworkFailure(error)) return void process.stderr.write('likeness: the API went away: run the command again, a build goes on where it was\n')
  const isPlain = error instanceof UserError || error instanceof ApiProblem
  process.stderr.write(`likeness: ${isPlain ? error.message : error instanceof Error ? error.stack : String(error)}\n`)
}

let exitCode: number
try {
  exitCode = await Promise.race([run(process.argv.slice(2)), interruption()])
} catch (error) {
  if (error instanceof HelpAsked) process.stdout.write(`${error.message}\n`)
  else report(error)
  exitCode = error instanceof HelpAsked ? 0 : error instanceof UserError ? 2 : 1
}
const isStopped = await Promise.race([lifecycle.stop().then(() => true), pause(stopDeadlineMs, false)])
if (!isStopped) process.stderr.write('stopping took too long\n')
process.exit(isStopped ? exitCode : 1)
