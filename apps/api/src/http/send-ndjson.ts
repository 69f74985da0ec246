// Streams an answer of any length, bytes or a JSON text per line: as fast as the client reads, and
// only while the client is there.
import type { Response } from 'express'
import { drained } from './drained.ts'
import { contextOf } from './request-context.ts'

const writeBytes = 64 * 1024
/** A client that reads no bytes for this long is cut off, because the source stays open for it. */
const idleMs = 60_000

/** Resolves when all is written or the client is gone; never while `values` is being read. */
export const sendNdjson = (res: Response, values: AsyncIterable<unknown>): Promise<void> =>
  sendPieces(res, 'application/x-ndjson', inLines(values))

/** The same for pieces of a body of another type. */
export async function sendPieces(
  res: Response,
  type: string,
  pieces: AsyncIterable<Uint8Array | string>
): Promise<void> {
  const { gone } = contextOf(res)
  res.type(type)
  if (res.req.method === 'HEAD') return void res.end()
  res.setTimeout(idleMs, () => res.destroy())
  for await (const piece of pieces) {
    if (gone.aborted) return
    if (!res.write(piece)) await drained(res, gone)
  }
  res.end()
}

async function* inLines(values: AsyncIterable<unknown>): AsyncGenerator<string> {
  let held = ''
  for await (const value of values) {
    held += `${JSON.stringify(value)}\n`
    if (held.length < writeBytes) continue
    yield held
    held = ''
  }
  if (held !== '') yield held
}
