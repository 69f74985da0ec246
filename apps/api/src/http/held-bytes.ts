// Bodies that requests hold in memory: pictures of searches and comparisons, projections. Together
// they are bounded, because each may be as large as MAX_UPLOAD_BYTES.
import type { Readable } from 'node:stream'
import type { Request, Response } from 'express'
import { maxHeldBytes } from '@likeness/shared/contract/limits'
import { appError } from '@likeness/shared/errors'

let heldBytes = 0
const ownBytes = new WeakMap<Response, number>()

/**
 * Counts bytes that the request holds until its answer is sent. overloaded when those of all
 * requests are too many; a request that is alone may hold any number.
 */
export function holdBytes(res: Response, bytes: number): void {
  const own = ownBytes.get(res)
  const others = heldBytes - (own ?? 0)
  if (others > 0 && heldBytes + bytes > maxHeldBytes)
    throw appError(
      'overloaded',
      `the bodies of the requests in memory are at most ${maxHeldBytes} bytes together`
    )
  if (own === undefined)
    res.once('close', () => {
      heldBytes -= ownBytes.get(res)!
      ownBytes.delete(res)
    })
  ownBytes.set(res, (own ?? 0) + bytes)
  heldBytes += bytes
}

/** Reads a stream into memory. Rejects with `tooLarge` past `maxBytes`, and with overloaded. */
export async function readIntoMemory(
  req: Request,
  stream: Readable,
  { maxBytes, tooLarge }: { maxBytes: number; tooLarge: () => Error }
): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  let sizeBytes = 0
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length
    if (sizeBytes > maxBytes) throw tooLarge()
    holdBytes(req.res!, chunk.length)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}
