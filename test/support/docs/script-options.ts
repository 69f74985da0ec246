// The options of a script that parses its arguments where it starts, read from its source: such a
// script cannot be imported without running.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { repositoryRoot } from './documents.ts'

type OptionType = 'string' | 'boolean'

/** undefined for a script that takes no options. */
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

/** What is wrong with the arguments of a script; undefined where nothing is. */
export function problemOfArguments(file: string, args: readonly string[]): string | undefined {
  const options = optionsIn(readFileSync(join(repositoryRoot, file), 'utf8'))
  try {
    parseArgs({ args: [...args], options: options ?? {}, allowPositionals: options === undefined })
    return undefined
  } catch (error) {
    return `${file}: ${(error as Error).message}`
  }
}

/** The file of `npm run bench -- NAME`; undefined where there is none. */
export function benchFile(name: string): string | undefined {
  const source = readFileSync(join(repositoryRoot, 'bench/run.ts'), 'utf8')
  const rows = source.matchAll(/^ {2}(\w+): \(\) => import\('\.\/(.+)'\)/gm)
  for (const [, known, file] of rows) if (known === name) return `bench/${file}`
  return undefined
}
