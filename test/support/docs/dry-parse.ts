// Checks a documented command with the parser of the command itself, without starting a process.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { HelpAsked } from '../../../apps/cli/src/command-options.ts'
import type { CommandContext } from '../../../apps/cli/src/command.ts'
import { commands } from '../../../apps/cli/src/commands.ts'
import { UserError } from '../../../apps/cli/src/user-error.ts'
import { repositoryRoot } from './documents.ts'
import { isRouted, requestOf } from './routes.ts'
import { benchFile, problemOfArguments } from './script-options.ts'
import { splitAssignments, splitCommands } from './shell-words.ts'

/** Imports a module of scripts/, which has no types. */
const ofScripts = (file: string): Promise<unknown> => import(join(repositoryRoot, 'scripts', file))
const { commandList } = (await ofScripts('command-list.mjs')) as { commandList: object }
const { vitestProjects } = (await ofScripts('tests/stages.mjs')) as { vitestProjects: string[] }

type Problem = string | undefined
type Checker = (args: readonly string[]) => Problem | Promise<Problem>

/**
 * An option that no command has. The parser reaches this option only after all documented options.
 */
const last = '--past-the-documented-options'
const actionCommands = ['example', 'model', 'profile']
const ours = /^(?:\.\/)?((?:apps|packages|scripts|test|docs|bench|models|examples|bin)\/.+)/
const context = {
  prepare: () => Promise.reject(new Error('nothing may be prepared'))
} as unknown as CommandContext

async function refusalOf(name: string, args: readonly string[]): Promise<Error> {
  try {
    await commands[name]!(args, context)
  } catch (error) {
    if (error instanceof UserError || error instanceof HelpAsked) return error
    throw error
  }
  throw new Error(`likeness ${name} took ${args.join(' ')}`)
}

async function problemOfLikeness([name = '', ...args]: readonly string[]): Promise<Problem> {
  if (['--help', '--version'].includes(name)) return undefined
  if (!Object.hasOwn(commandList, name)) return `there is no command ${name}`
  const given = args.filter((arg) => arg !== '--help' && arg !== '-h')
  const { message } = await refusalOf(name, [...given, last])
  if (!message.startsWith(`Unknown option '${last}'`)) return message.split('\n')[0]
  return actionCommands.includes(name) ? problemOfAction(name, given) : undefined
}

async function problemOfAction(name: string, [action]: readonly string[]): Promise<Problem> {
  const { message: usage } = await refusalOf(name, ['--help'])
  const isKnown = new RegExp(`^likeness ${name} (\\S*\\|)?${action}\\b`, 'm').test(usage)
  return isKnown ? undefined : `likeness ${name} knows no ${action}`
}

function scriptOf(name: string): string | undefined {
  const text = readFileSync(join(repositoryRoot, 'package.json'), 'utf8')
  const { scripts } = JSON.parse(text) as { scripts: Record<string, string> }
  return Object.hasOwn(scripts, name) ? scripts[name] : undefined
}

async function problemOfNpm([verb = '', ...rest]: readonly string[]): Promise<Problem> {
  const [name = '', ...args] = verb === 'run' ? rest : [verb, ...rest]
  if (verb !== 'run' && !['test', 'start'].includes(verb)) return `npm ${verb} is not checked`
  const script = scriptOf(name)
  if (script === undefined) return `package.json has no script ${name}`
  const passed = args[0] === '--' ? args.slice(1) : args
  if (passed.length > 0 && args[0] !== '--') return 'npm keeps options without `--` to itself'
  return problemOfScript(name, script, passed)
}

function problemOfScript(
  name: string,
  script: string,
  args: readonly string[]
): Problem | Promise<Problem> {
  if (name === 'demo' || name === 'start') return problemOfLikeness([name, ...args])
  const [, file] = /^node --import tsx (\S+)$/.exec(script) ?? []
  if (file === undefined)
    return args.length === 0 ? undefined : `npm run ${name}: arguments are not checked`
  if (name !== 'bench') return problemOfArguments(file, args)
  const bench = benchFile(args[0] ?? '')
  return bench === undefined
    ? `there is no bench ${args[0]}`
    : problemOfArguments(bench, args.slice(1))
}

const problemOfNpx: Checker = ([tool, ...args]) => {
  if (tool !== 'vitest' && tool !== 'tsc') return `npx ${tool} is not checked`
  const at = args.indexOf('--project')
  const isKnown = at === -1 || vitestProjects.includes(args[at + 1]!)
  return isKnown ? undefined : `there is no vitest project ${args[at + 1]}`
}

const problemOfCurl: Checker = (args) => {
  const request = requestOf(args)
  if (request === undefined) return 'curl without an address'
  const { method, path } = request
  return isRouted(method, path) ? undefined : `there is no route ${method} ${path}`
}

const checkers: Record<string, Checker> = {
  likeness: problemOfLikeness,
  npm: problemOfNpm,
  npx: problemOfNpx,
  curl: problemOfCurl
}
/** External programs. Only their arguments that are files of ours are checked. */
const strangers = ['cd', 'git', 'node', 'pip', 'pytest', 'python', 'tar']

/**
 * Returns false only for a path of ours that does not exist, not even as the beginning of a name.
 */
function isThere(word: string): boolean {
  const path = ours.exec(word)?.[1]
  if (path === undefined || existsSync(join(repositoryRoot, path))) return true
  const folder = join(repositoryRoot, dirname(path))
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith(basename(path)))
}

async function problemOfCommand(words: readonly string[]): Promise<Problem> {
  const { command } = splitAssignments(words)
  const missing = command.find((word) => !isThere(word))
  if (missing !== undefined) return `there is no ${missing}`
  const [program = '', ...args] = command
  const checker = Object.hasOwn(checkers, program) ? checkers[program] : undefined
  if (checker !== undefined) return checker(args)
  const isKnown = strangers.includes(program) || ours.test(program)
  return isKnown ? undefined : `${program} is not checked`
}

/**
 * Returns the problem of a documented line; undefined when the parsers understand every command.
 */
export async function problemOf(line: string): Promise<Problem> {
  for (const words of splitCommands(line)) {
    const problem = await problemOfCommand(words)
    if (problem !== undefined) return problem
  }
  return undefined
}
