// Filters of a search: conditions on label and metadata, as JSON. All conditions of a filter must
// hold.
import { z } from 'zod'
import { maxFilterDepth, maxFilterNodes, maxFilterValues } from './limits.ts'
import { keyProblem, scalarProblem } from './metadata.ts'

export type FilterScalar = string | number | boolean
export interface Range {
  gt?: number
  gte?: number
  lt?: number
  lte?: number
}
export type Condition =
  /** Equal, and of the same type: "7" is not 7. */
  | FilterScalar
  | { in: FilterScalar[] }
  /** Numbers only. Values of another type do not match. */
  | Range
  /** Whether there is a value that is not null. */
  | { exists: boolean }
  /** Matches items without the value too. */
  | { not: Condition }

export interface Filter {
  label?: Condition
  /** Conditions by key of the item's metadata. */
  metadata?: Record<string, Condition>
  /** At least one of these filters must hold. */
  any?: Filter[]
  not?: Filter
}

/** Most filters of one `any`. */
const maxAlternatives = 100
const rangeKeys = ['gt', 'gte', 'lt', 'lte']
const filterKeys = ['label', 'metadata', 'any', 'not']
const conditionForms =
  'a condition is a text, a number, true or false (equal), {"in": [...]}, {"gt": 1} (or gte, lt, lte), {"exists": true} or {"not": a condition}'

type Path = (string | number)[]
export interface FilterProblem {
  path: Path
  message: string
}
interface Place {
  kind: 'filter' | 'condition'
  value: unknown
  path: Path
  depth: number
}
interface Walk {
  waiting: Place[]
  values: number
}
class Found extends Error {
  readonly problem: FilterProblem
  constructor(path: Path, message: string) {
    super(message)
    this.problem = { path, message }
  }
}

/**
 * Returns the first reason why a value is no filter. Walks without recursion, because a client
 * chooses the depth. All readers of filters may then be recursive.
 */
export function filterProblem(value: unknown): FilterProblem | undefined {
  const walk: Walk = { waiting: [{ kind: 'filter', value, path: [], depth: 1 }], values: 0 }
  try {
    let nodes = 0
    for (let place = walk.waiting.pop(); place !== undefined; place = walk.waiting.pop()) {
      if (place.depth > maxFilterDepth)
        throw new Found(
          [],
          `a filter has at most ${maxFilterDepth} levels of any and not inside each other`
        )
      if (++nodes > maxFilterNodes)
        throw new Found(
          [],
          `a filter has at most ${maxFilterNodes} filters and conditions, inner ones included`
        )
      if (place.kind === 'filter') checkFilter(place, walk)
      else checkCondition(place, walk)
    }
    return undefined
  } catch (error) {
    if (error instanceof Found) return error.problem
    throw error
  }
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function checkFilter({ value, path, depth }: Place, { waiting }: Walk): void {
  if (!isObject(value))
    throw new Found(path, 'a filter is an object of label, metadata, any and not')
  for (const key of Object.keys(value))
    if (!filterKeys.includes(key))
      throw new Found(
        path,
        `${quoted(key)} is not a part of a filter: it has label, metadata, any and not. A condition on metadata is {"metadata": {${quoted(key)}: ...}}`
      )
  const { label, metadata, any, not } = value
  if (label !== undefined)
    waiting.push({ kind: 'condition', value: label, path: [...path, 'label'], depth })
  if (metadata !== undefined) waiting.push(...metadataConditions(metadata, path, depth))
  if (any !== undefined) {
    if (!Array.isArray(any) || any.length === 0 || any.length > maxAlternatives)
      throw new Found([...path, 'any'], `any is a list of 1 to ${maxAlternatives} filters`)
    for (const [at, inner] of any.entries())
      waiting.push({ kind: 'filter', value: inner, path: [...path, 'any', at], depth: depth + 1 })
  }
  if (not !== undefined)
    waiting.push({ kind: 'filter', value: not, path: [...path, 'not'], depth: depth + 1 })
}

function metadataConditions(metadata: unknown, path: Path, depth: number): Place[] {
  if (!isObject(metadata))
    throw new Found([...path, 'metadata'], 'metadata is an object: a condition for each key')
  return Object.entries(metadata).map(([key, value]): Place => {
    const problem = keyProblem(key)
    if (problem !== undefined) throw new Found([...path, 'metadata'], problem)
    return { kind: 'condition', value, path: [...path, 'metadata', key], depth }
  })
}

function checkCondition({ value, path, depth }: Place, walk: Walk): void {
  if (!isObject(value)) {
    if (Array.isArray(value))
      throw new Found(path, 'a list of values is {"in": [...]}: one of them is enough')
    if (value === null) throw new Found(path, 'null: a missing value is {"exists": false}')
    return checkScalar(value, path, conditionForms)
  }
  const keys = Object.keys(value)
  if (keys.length > 0 && keys.every((key) => rangeKeys.includes(key)))
    return checkRange(value, path)
  const [key, ...others] = keys
  if (key === undefined || others.length > 0 || !['in', 'exists', 'not'].includes(key))
    throw new Found(path, conditionForms)
  if (key === 'in') checkIn(value.in, [...path, 'in'], walk)
  if (key === 'exists' && typeof value.exists !== 'boolean')
    throw new Found([...path, 'exists'], 'exists is true or false')
  if (key === 'not')
    walk.waiting.push({
      kind: 'condition',
      value: value.not,
      path: [...path, 'not'],
      depth: depth + 1
    })
}

function checkIn(values: unknown, path: Path, walk: Walk): void {
  if (!Array.isArray(values) || values.length === 0)
    throw new Found(path, 'in is a list of one value or more')
  walk.values += values.length
  if (walk.values > maxFilterValues)
    throw new Found(
      path,
      `the in lists of a filter have at most ${maxFilterValues} values together`
    )
  for (const [at, value] of values.entries()) {
    if (value === null)
      throw new Found([...path, at], 'null: items without a value are {"exists": false}')
    checkScalar(value, [...path, at], 'a value is a text, a number, true or false')
  }
}

function checkRange(range: Record<string, unknown>, path: Path): void {
  for (const [key, bound] of Object.entries(range)) {
    if (typeof bound !== 'number')
      throw new Found(
        [...path, key],
        `${key} is a number. Texts have no ranges: keep dates as numbers, for example 20240131 or seconds since 1970`
      )
    if (!Number.isFinite(bound)) throw new Found([...path, key], 'the number is too large')
  }
}

function checkScalar(value: unknown, path: Path, allowed: string): void {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean')
    throw new Found(path, allowed)
  const problem = scalarProblem(value)
  if (problem !== undefined) throw new Found(path, problem)
}

const quoted = (key: string): string => JSON.stringify(key.slice(0, 100))

/** Returns the levels of any and not inside each other; stops beyond `most`. */
export function filterDepth(filter: unknown, most: number): number {
  let level: unknown[] = [filter]
  for (let depth = 0; ; depth++) {
    level = level.filter(isObject).flatMap(inside)
    if (level.length === 0 || depth > most) return depth
  }
}

const inside = ({ label, metadata, any, not }: Record<string, unknown>): unknown[] => [
  label,
  ...(isObject(metadata) ? Object.values(metadata) : []),
  ...(Array.isArray(any) ? any : []),
  not
]

/** Checks what a client sends. Reading limits are wider: see filterShape. */
export const filterSchema: z.ZodType<Filter> = z.custom<Filter>().superRefine((value, ctx) => {
  const problem = filterProblem(value)
  if (problem !== undefined) ctx.addIssue({ code: 'custom', continue: false, ...problem })
})

// The same forms as schemas: for stored filters, whose limits may have been wider, and for the
// OpenAPI document.
const scalarSchema = z.union([z.string(), z.number(), z.boolean()])
export const conditionShape: z.ZodType<Condition> = z.lazy(() =>
  z.union([
    scalarSchema,
    z.strictObject({ in: z.array(scalarSchema).min(1) }),
    z.strictObject({ exists: z.boolean() }),
    z.strictObject({ not: conditionShape }),
    z.strictObject({
      gt: z.number().optional(),
      gte: z.number().optional(),
      lt: z.number().optional(),
      lte: z.number().optional()
    })
  ])
)
export const filterShape: z.ZodType<Filter> = z.lazy(() =>
  z.strictObject({
    label: conditionShape.optional(),
    metadata: z.record(z.string(), conditionShape).optional(),
    any: z.array(filterShape).min(1).max(maxAlternatives).optional(),
    not: filterShape.optional()
  })
)

/** `label` or `metadata.KEY`. Hits with the same value form one group. */
export const groupBySchema = z
  .string()
  .regex(/^(label|metadata\..{1,128})$/s, 'group_by is `label` or `metadata.KEY`')
