// Every bound on the cost of one request, in one place. docs/limits.md is written from this table.
// Beyond a bound the answer names the bound, its value and the size that was asked for.
import { type AppError, appError, type ErrorCode } from '../errors.ts'

export interface Limit {
  name: string
  value: number
  unit: string
  /** Group of rows in the table of the docs. */
  area: string
  what: string
  code: ErrorCode
}

const table: Limit[] = []

function limit(value: number, row: Omit<Limit, 'value'>): number {
  table.push({ value, ...row })
  return value
}

export const maxJsonBytes = limit(2 * 1024 * 1024, {
  name: 'maxJsonBytes',
  unit: 'bytes',
  area: 'Bodies',
  what: 'a JSON body',
  code: 'too_large'
})

export const maxMetadataKeys = limit(256, {
  name: 'maxMetadataKeys',
  unit: 'keys',
  area: 'Items',
  what: 'keys of the metadata of an item',
  code: 'invalid_request'
})
export const maxMetadataBytes = limit(64 * 1024, {
  name: 'maxMetadataBytes',
  unit: 'bytes',
  area: 'Items',
  what: 'the metadata of an item, as JSON',
  code: 'invalid_request'
})
export const maxMetadataKeyLength = limit(128, {
  name: 'maxMetadataKeyLength',
  unit: 'characters',
  area: 'Items',
  what: 'a metadata key',
  code: 'invalid_request'
})
export const maxTextLength = limit(4096, {
  name: 'maxTextLength',
  unit: 'characters',
  area: 'Items',
  what: 'a text value of metadata or of a filter',
  code: 'invalid_request'
})
export const maxIdLength = limit(1024, {
  name: 'maxIdLength',
  unit: 'characters',
  area: 'Items',
  what: 'an item id or a label',
  code: 'invalid_request'
})
export const maxIdsPerOperation = limit(10_000, {
  name: 'maxIdsPerOperation',
  unit: 'ids',
  area: 'Items',
  what: 'ids of one delete or relabel',
  code: 'invalid_request'
})
/** The effect of a relabel is written once per item, and all effects are in memory together. */
export const maxRelabelBytes = limit(16 * 1024 * 1024, {
  name: 'maxRelabelBytes',
  unit: 'bytes',
  area: 'Items',
  what: 'ids of a relabel x bytes of its label and metadata',
  code: 'too_large'
})

/** A slot of the log holds one more operation than 1 MB, and S3 writes 5 MiB on a condition. */
export const maxOperationBytes = limit(3 * 1024 * 1024, {
  name: 'maxOperationBytes',
  unit: 'bytes',
  area: 'Items',
  what: 'a change (delete, relabel, settings) as JSON',
  code: 'too_large'
})

export const maxFilterDepth = limit(16, {
  name: 'maxFilterDepth',
  unit: 'levels',
  area: 'Filters',
  what: '`any` and `not` inside each other',
  code: 'invalid_request'
})
export const maxFilterNodes = limit(512, {
  name: 'maxFilterNodes',
  unit: 'nodes',
  area: 'Filters',
  what: 'filters and conditions of a filter, inner ones included',
  code: 'invalid_request'
})
export const maxFilterValues = limit(10_000, {
  name: 'maxFilterValues',
  unit: 'values',
  area: 'Filters',
  what: 'values of all `in` lists of a filter together',
  code: 'invalid_request'
})

export const maxK = limit(10_000, {
  name: 'maxK',
  unit: 'hits',
  area: 'Searches',
  what: '`k`, the hits of each object',
  code: 'invalid_request'
})
export const maxVectors = limit(1_000, {
  name: 'maxVectors',
  unit: 'vectors',
  area: 'Searches',
  what: 'vectors of one search',
  code: 'too_large'
})
/** Holds for every source: vectors, a picture, and the rows of an item. */
export const maxHits = limit(100_000, {
  name: 'maxHits',
  unit: 'hits',
  area: 'Searches',
  what: 'vectors or rows of the query x `k`',
  code: 'too_large'
})
export const maxHitBytes = limit(64 * 1024 * 1024, {
  name: 'maxHitBytes',
  unit: 'bytes',
  area: 'Searches',
  what: 'stored text (metadata, boxes) of all hits of one search',
  code: 'too_large'
})

export const maxSearchesAtOnce = limit(32, {
  name: 'maxSearchesAtOnce',
  unit: 'requests',
  area: 'At once, in one api process',
  what: 'searches and comparisons that run',
  code: 'overloaded'
})
export const maxWritesAtOnce = limit(64, {
  name: 'maxWritesAtOnce',
  unit: 'requests',
  area: 'At once, in one api process',
  what: 'uploads, imports and changes that run',
  code: 'overloaded'
})
export const maxReadsAtOnce = limit(64, {
  name: 'maxReadsAtOnce',
  unit: 'requests',
  area: 'At once, in one api process',
  what: 'pictures, thumbnails and lists of jobs that are read',
  code: 'overloaded'
})
export const maxExportsAtOnce = limit(16, {
  name: 'maxExportsAtOnce',
  unit: 'requests',
  area: 'At once, in one api process',
  what: 'exports of vectors that run',
  code: 'overloaded'
})
export const maxWaiting = limit(1_000, {
  name: 'maxWaiting',
  unit: 'requests',
  area: 'At once, in one api process',
  what: 'requests of one of these kinds that wait for their turn',
  code: 'overloaded'
})
export const maxWaitMs = limit(10_000, {
  name: 'maxWaitMs',
  unit: 'milliseconds',
  area: 'At once, in one api process',
  what: 'the wait of a request for its turn',
  code: 'overloaded'
})

/** All bounds, in the order of the docs. */
export const limits: readonly Limit[] = table

/** The error beyond a bound. `asked`: the size that was asked for, in the unit of the bound. */
export function beyondLimit(name: string, asked: number, hint = ''): AppError {
  const { what, value, unit, code } = limits.find((one) => one.name === name)!
  return appError(code, `${what}: at most ${value} ${unit}, not ${asked}${hint && `. ${hint}`}`, {
    detail: { limit: name, max: value, asked }
  })
}

// Bounds of processes. No request meets them.
/** Most bytes of log lines that wait in the memory of a process; further lines are dropped. */
export const maxWaitingLogBytes = 1024 * 1024
/** Most bytes of a log file of this machine's stack. A full file is kept under another name. */
export const maxLogFileBytes = 16 * 1024 * 1024
/** Most log files of one process of this machine's stack: the present one and older ones. */
export const maxLogFiles = 3
/** Most troubles that a process keeps and tells. */
export const maxTroubles = 50
/** Most characters of the text of a trouble. */
export const maxTroubleTextLength = 500
/** Most workers that an api process remembers. */
export const maxKnownWorkers = 1000
