// Environment variables: those that docs/settings.md explains, and those that the programs read.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { readConfig as readApiConfig } from '../../../apps/api/src/config.ts'
import { readSupervisorConfig } from '../../../apps/embed-worker/src/config.ts'
import { readConfig as readIndexWorkerConfig } from '../../../apps/index-worker/src/config.ts'
import { repositoryRoot } from './documents.ts'

export interface VariableRow {
  name: string
  default: string
  /** Letters of the apps: `A E I`; empty in the table of command line and tests. */
  apps: string
}

/** Returns the rows of the tables of variables. */
export function variableRows(content: string): VariableRow[] {
  return content.split('\n').flatMap((line) => {
    const cells = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    if (!/^`[A-Z][A-Z0-9_]*`/.test(cells[0] ?? '')) return []
    const names = [...cells[0]!.matchAll(/`([A-Z0-9_]+)`/g)].map(([, name]) => name!)
    const [of, apps] = cells.length === 5 ? [cells[1]!, cells[3]!] : ['', '']
    return names.map((name) => ({ name, default: of, apps }))
  })
}

const needed = {
  OBJECT_STORE: 'dir:/objects',
  REDIS_URL: 'redis://localhost',
  DATA_DIR: '/data',
  LANE_SECRET: '0123456789abcdef',
  MODEL_DIR: '/model'
}
const readers = { A: readApiConfig, E: readSupervisorConfig, I: readIndexWorkerConfig }

export interface ReadVariable {
  /** Letters of the apps: `A E I`. */
  apps: string
  /** Value when the variable is not set; undefined also for a required variable. */
  default: unknown
}

/** Returns the values that the apps read from an environment with only the required variables. */
export function variablesOfApps(): Map<string, ReadVariable> {
  const read = new Map<string, ReadVariable>()
  for (const [app, reader] of Object.entries(readers)) {
    const asked = new Set<string>()
    const env = new Proxy<Record<string, string | undefined>>(needed, {
      get: (target, name: string) => {
        asked.add(name)
        return target[name]
      }
    })
    const values: Record<string, unknown> = reader(env)
    for (const name of asked) {
      const before = read.get(name)
      const apps = before === undefined ? app : `${before.apps} ${app}`
      read.set(name, { apps, default: name in needed ? undefined : values[name] })
    }
  }
  return read
}

/** Variables for child processes, or from the launcher. The user does not set them. */
const internal = ['OBJECT_STORE', 'LIKENESS_CALLER_FOLDER']

/** Returns the variables that the command line program itself reads. */
export function variablesOfCli(): string[] {
  const source = readFileSync(join(repositoryRoot, 'apps/cli/src/config.ts'), 'utf8')
  const code = source
    .replace(/const inherited = \[[^]*?\]/, '')
    .replace(/\/\*[^]*?\*\/|\/\/.*/g, '')
  const names = code.match(/\b[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+\b/g) ?? []
  return [...new Set(names)].filter((name) => !internal.includes(name))
}

/** Returns whether any code of the repository contains the name. */
export function isReadSomewhere(name: string): boolean {
  const args = ['grep', '-qw', name, '--', '*.ts', '*.mjs', '*.js', ':!test/support/docs']
  return spawnSync('git', args, { cwd: repositoryRoot }).status === 0
}

const dayMs = 86_400_000

/** Returns the value of a cell in the column `default`; undefined for a value in words. */
export function documentedDefault(cell: string): unknown {
  const text = cell.replaceAll('`', '')
  const [, days] = /^(\d+) days?$/.exec(text) ?? []
  if (days !== undefined) return Number(days) * dayMs
  if (/^\d[\d ]*(e\d+)?$/.test(text)) return Number(text.replaceAll(' ', ''))
  return cell === `\`${text}\`` && !text.includes('_') ? text : undefined
}
