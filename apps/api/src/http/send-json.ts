// Sends an answer that may be large as JSON, piece by piece: other requests get their turn between
// the pieces, and the whole text is never in memory at once.
import type { Response } from 'express'
import { Turns } from '@likeness/shared/process/turns'
import { drained } from './drained.ts'
import { contextOf } from './request-context.ts'

const writeBytes = 64 * 1024

/** Resolves when all is written or the client is gone. */
export async function sendJson(res: Response, value: object): Promise<void> {
  const { gone } = contextOf(res)
  res.type('application/json')
  const turns = new Turns()
  let held = ''
  for (const piece of jsonPieces(value)) {
    held += piece
    await turns.take()
    if (held.length < writeBytes) continue
    if (gone.aborted) return
    if (!res.write(held)) await drained(res, gone)
    held = ''
  }
  res.end(held)
}

/** Levels of lists and objects that are written in pieces. Deeper values are small. */
const levels = 4

/** Yields the JSON text of a value. Fields that are undefined are left out. */
export function* jsonPieces(value: unknown, level = levels): Generator<string> {
  if (level === 0 || typeof value !== 'object' || value === null) {
    yield JSON.stringify(value)
    return
  }
  if (Array.isArray(value)) {
    yield '['
    for (const [at, one] of value.entries()) {
      if (at > 0) yield ','
      yield* jsonPieces(one ?? null, level - 1)
    }
    yield ']'
    return
  }
  let separator = '{'
  for (const [key, one] of Object.entries(value)) {
    if (one === undefined) continue
    yield `${separator}${JSON.stringify(key)}:`
    yield* jsonPieces(one, level - 1)
    separator = ','
  }
  yield separator === '{' ? '{}' : '}'
}
