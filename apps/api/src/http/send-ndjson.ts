// Streams an answer with a JSON text per line: as fast as the client reads, and only while the
// client is there.
import type { Response } from 'express'
import { drained } from './drained.ts'
import { contextOf } from './request-context.ts'

const writeBytes = 64 * 1024
/** A client that reads no bytes for this long is cut off, because the source stays open for it. */
const idleMs = 60_000

/** Resolves when all is written or the client is gone; never while `values` is being read. */
export async function sendNdjson(res: Response, values: AsyncIterable<unknown>): Promise<void> {
  const { gone } = contextOf(res)
  res.type('application/x-ndjson')
  if (res.req.method === 'HEAD') return void res.end()
  res.setTimeout(idleMs, () => res.destroy())
  let held = ''
  for await (const value of values) {
    if (gone.aborted) return
    held += `${JSON.stringify(value)}\n`
    if (held.length < writeBytes) continue
    if (!res.write(held)) await drained(res, gone)
    held = ''
  }
  res.end(held)
}
