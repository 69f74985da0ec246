// Reads a body of items with vectors, NDJSON, and stores vector batches while the body arrives. The
// batches are unused before the log entry.
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { maxVectorLineBytes, maxVectorLines } from '@likeness/shared/contract/limits'
import { readTextLines } from '@likeness/shared/data/text-lines'
import { appError } from '@likeness/shared/errors'
import { type BatchTarget, createVectorBatches } from './vector-batches.ts'
import { parseVectorLine } from './vector-line.ts'

export interface VectorsTarget extends BatchTarget {
  maxBytes: number
}
export interface ReceivedVectors {
  lines: ItemListLine[]
  /** sha256 of the whole body. */
  sha256: string
}

/**
 * too_large past `maxBytes` or `maxVectorLines`. The caller deletes the stored batches after any
 * rejection.
 */
export async function receiveVectors(
  req: Request,
  target: VectorsTarget
): Promise<ReceivedVectors> {
  const { spec, maxBytes } = target
  const hash = createHash('sha256')
  const lines: ItemListLine[] = []
  const batch = createVectorBatches(target)
  for await (const read of readTextLines(counted(req, { hash, maxBytes }), {
    maxLineBytes: maxVectorLineBytes
  })) {
    if (lines.length === maxVectorLines)
      throw appError('too_large', `more than ${maxVectorLines} items`)
    const numbered = {
      line: read.line,
      ordinal: lines.length,
      text: 'text' in read ? read.text : ''
    }
    const { listed, embedded } = await parseVectorLine(numbered, spec)
    lines.push(
      'problem' in read
        ? {
            ...listed,
            failure: { code: 'invalid_request', message: `line ${read.line}: ${read.problem}` }
          }
        : listed
    )
    if (embedded !== undefined) await batch.add(embedded.item, embedded.vectors)
  }
  await batch.flush()
  return { lines, sha256: hash.digest('hex') }
}

async function* counted(
  req: Request,
  { hash, maxBytes }: { hash: { update(bytes: Uint8Array): unknown }; maxBytes: number }
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  // The request stays open when reading stops early, so that the sender still gets an answer.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      throw appError('too_large', `the body has more than ${maxBytes} bytes`, {
        detail: { max_bytes: maxBytes }
      })
    hash.update(chunk)
    yield chunk
  }
  if (req.destroyed && !req.complete) throw appError('invalid_request', 'the body was cut off')
}
