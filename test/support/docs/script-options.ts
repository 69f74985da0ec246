// Options of a script, read from the source. A script that parses its arguments at the start cannot
// be imported without running.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from './documents.ts'

type OptionType = 'string' | 'boolean'

/** Returns undefined for a script without options. */
export function optionsIn(source: string): Record<string, { type: OptionType }> | undefined {
  const table = /\bparseArgs\(\{\n {2}options: \{\n([^]*?)\n {2}\}/.exec(source)?.[1]
  if (table === undefined) {
    if (source.includes('parseArgs(')) throw new Error('the table of options is not understood')
    return undefined
  }
  const rows = table.matchAll(/^ {4}'?([\w-]+)'?: \{ type: '(string|boolean)'/gm)
  const entries = [...rows].map(([, name, type]) => [name!, { type: type as OptionType }] as const)
  if (entries.length !== table.split('\n').length)
    throw new Error('a row of the table of options is not understood')
  return Object.fromEntries(entries)
}

/** Returns the problem with the arguments of a script; undefined when they are right. */
export function problemOfArguments(file: string, args: readonly string[]): string | undefined {
  const options = optionsIn(readFileSync(join(repositoryRoot, file), 'utf8'))
  try {
    parseArgs({ args: [...args], options: options ?? {}, allowPositionals: options === undefined })
    return undefined
  } catch (error) {
    return `${file}: ${(error as Error).message}`
  }
}

/** Returns the file of `npm run bench -- NAME`; undefined when there is no such file. */
export function benchFile(name: string): string | undefined {
  const source = readFileSync(join(repositoryRoot, 'bench/run.ts'), 'utf8')
  const rows = source.matchAll(/^ {2}'?([\w-]+)'?: \(\) => import\('\.\/(.+)'\)/gm)
  for (const [, known, file] of rows) if (known === name) return `bench/${file}`
  return undefined
}
