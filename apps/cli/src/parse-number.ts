// Parses a number in a range; UserError that names the option.
import { UserError } from './user-error.ts'

export function parseNumber(
  option: string,
  text: string | undefined,
  [min, max]: readonly [number, number]
): number | undefined {
  if (text === undefined) return undefined
  const value = Number(text)
  if (text.trim() === '' || !(value >= min && value <= max))
    throw new UserError(`${option} ${text}: a number from ${min} to ${max}`)
  return value
}
