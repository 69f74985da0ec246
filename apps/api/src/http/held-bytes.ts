// Bodies that requests hold in memory: pictures of searches and comparisons, projections. Together
// they are bounded, because each may be as large as MAX_UPLOAD_BYTES.
import type { Readable } from 'node:stream'
import type { Request, Response } from 'express'
import { maxHeldBytes } from '@likeness/shared/contract/limits'
import { type ByteShare, createByteBudget } from './byte-budget.ts'

const openShare = createByteBudget(maxHeldBytes, 'the bodies of the requests in memory')
const shares = new WeakMap<Response, ByteShare>()

/**
 * Counts bytes that the request holds until its answer is sent. overloaded when those of all
 * requests are too many; a request that is alone may hold any number.
 */
export function holdBytes(res: Response, bytes: number): void {
  const known = shares.get(res)
  const share = known ?? openShare()
  share.set(share.bytes + bytes)
  if (known !== undefined) return
  shares.set(res, share)
  res.once('close', () => {
    share.release()
    shares.delete(res)
  })
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
