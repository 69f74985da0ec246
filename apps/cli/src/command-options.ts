// Arguments of a command: parsed strictly. An error shows the usage of the command.
import { statSync } from 'node:fs'
import { parseArgs, type ParseArgsConfig } from 'node:util'
import { fromCallersFolder } from './config.ts'
import { UserError } from './user-error.ts'

type Options = NonNullable<ParseArgsConfig['options']>

/** Options of every command that talks to a stack. */
export const connectOptions = {
  api: { type: 'string' },
  data: { type: 'string' }
} as const satisfies Options
/** Options of every command that reads a gallery's yaml. */
export const galleryOptions = {
  ...connectOptions,
  config: { type: 'string', short: 'c' },
  override: { type: 'string', short: 'o', multiple: true, default: [] },
  json: { type: 'boolean', default: false }
} as const satisfies Options

export const connectUsage = `  --api URL      an API that runs elsewhere (default $LIKENESS_API; its key in $LIKENESS_API_KEY)
  --data DIR     data folder of this machine's stack (default $LIKENESS_HOME, else .likeness in the repository)`
export const galleryUsage = `  -c FILE        the gallery's yaml
  -o A.B=v       overrides a value of it; may be given several times
  --json         the last line is a JSON object
${connectUsage}`

/** Thrown when the user asks for the usage of a command. */
export class HelpAsked extends Error {}

/** UserError for an unknown option. Positionals are refused unless `positionals` is true. */
export function parseCommand<const O extends Options>(
  args: readonly string[],
  { options, usage, positionals }: { options: O; usage: string; positionals?: boolean }
) {
  if (args.includes('--help') || args.includes('-h')) throw new HelpAsked(usage)
  try {
    return parseArgs({ args: [...args], options, allowPositionals: positionals ?? false })
  } catch (error) {
    throw new UserError(`${(error as Error).message}\n${usage}`)
  }
}

type Range = readonly [min: number, max: number]

function numberIn(
  [option, text]: readonly [option: string, text: string | undefined],
  [min, max]: Range,
  { name, is }: { name: string; is: (value: number) => boolean }
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !(is(value) && value >= min && value <= max))
    throw new UserError(`${option} ${text}: ${name} from ${min} to ${max}`)
  return value
}

/** Parses a whole number in a range; UserError that names the option. */
export const parseCount = (
  option: string,
  text: string | undefined,
  range: Range
): number | undefined =>
  numberIn([option, text], range, { name: 'a whole number', is: Number.isInteger })

/** Parses a number in a range; UserError that names the option. */
export const parseNumber = (
  option: string,
  text: string | undefined,
  range: Range
): number | undefined => numberIn([option, text], range, { name: 'a number', is: () => true })

/** Parses a number from 0 to 1; UserError that names the option. */
export const parseShare = (option: string, text: string | undefined): number | undefined =>
  parseNumber(option, text, [0, 1])

/** Returns the only operand. */
export function oneCollection([name, ...more]: readonly string[], usage: string): string {
  if (name === undefined || more.length > 0) throw new UserError(`name one collection\n${usage}`)
  return name
}

export function required(value: string | undefined, option: string, usage: string): string {
  if (value === undefined) throw new UserError(`${option} is missing\n${usage}`)
  return value
}

/**
 * Returns the full path of an existing folder or file. UserError that shows the typed path after
 * `option`.
 */
export function existing(path: string, kind: 'folder' | 'file', option = ''): string {
  const full = fromCallersFolder(path)
  const found = statSync(full, { throwIfNoEntry: false })
  if (!(kind === 'folder' ? found?.isDirectory() : found?.isFile()))
    throw new UserError(`${option}${path}: there is no such ${kind}`)
  return full
}
