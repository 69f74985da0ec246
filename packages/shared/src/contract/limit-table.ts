// The table of all bounds. limits.ts fills it.
import type { ErrorCode } from '../errors.ts'

export interface Limit {
  name: string
  value: number
  unit: string
  /** Group of rows in the table of the docs. */
  area: string
  what: string
  /** Absent: no request meets the bound. */
  code?: ErrorCode
}

export const limitTable: Limit[] = []

/** Returns the function that adds a bound of an area: value, name, unit, [what is bounded, code]. */
export const inArea =
  (area: string) =>
  (value: number, name: string, unit: string, [what, code]: [string, ErrorCode?]): number => {
    limitTable.push({ name, value, unit, area, what, ...(code && { code }) })
    return value
  }
