// Reads a body of items with vectors, NDJSON or Arrow, and stores vector batches while the body arrives. The
// batches are unused before the log entry.
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import { type ItemListLine, itemListPartSize } from '@likeness/shared/contract/item-list'
import { maxVectorLineBytes, maxVectorLines } from '@likeness/shared/contract/limits'
import { readTextLines } from '@likeness/shared/data/text-lines'
import { appError } from '@likeness/shared/errors'
import { arrowItems, arrowTypes } from './arrow-items.ts'
import { describedBytes, type SuppliedItem } from './supplied-item.ts'
import { type BatchTarget, createVectorBatches } from './vector-batches.ts'
import { parseVectorLine } from './vector-line.ts'

export interface VectorsTarget extends BatchTarget {
  maxBytes: number
  /** The request has an Idempotency-Key, so the body is told from others by its hash. */
  keyed: boolean
}
export interface ReceivedVectors {
  lines: ItemListLine[]
  /** Lines of a part of the item list. */
  partSize: number
  /** sha256 of the whole body, where the request has a key. */
  sha256: string | undefined
}

/** A list up to this size is a single part: one durable write in place of one for 200 lines. */
const singlePartBytes = 4 * 1024 * 1024
const failedBytes = 2048

/**
 * too_large past `maxBytes` or `maxVectorLines`. The caller deletes the stored batches after any
 * rejection.
 */
export async function receiveVectors(
  req: Request,
  target: VectorsTarget
): Promise<ReceivedVectors> {
  const { maxBytes, keyed } = target
  const hash = keyed ? createHash('sha256') : undefined
  const lines: ItemListLine[] = []
  let listBytes = 0
  const batches = createVectorBatches(target)
  const body = counted(req, { hash, maxBytes })
  const items = req.is([...arrowTypes]) ? arrowItems(body, target) : lineItems(body, target)
  try {
    for await (const some of items)
      for (const { listed, embedded } of some) {
        lines.push(listed)
        const sizeBytes = embedded === undefined ? failedBytes : describedBytes(embedded.item)
        listBytes += sizeBytes
        if (embedded === undefined) continue
        if (batches.add(embedded.item, embedded.vectors, sizeBytes)) await batches.write()
      }
    await batches.flush()
  } finally {
    // A write that ends after the caller has deleted the batches would leave one.
    await batches.settle()
  }
  const partSize = listBytes <= singlePartBytes ? maxVectorLines : itemListPartSize
  return { lines, partSize, sha256: hash?.digest('hex') }
}

async function* lineItems(
  body: AsyncIterable<Uint8Array>,
  { spec }: VectorsTarget
): AsyncGenerator<SuppliedItem[]> {
  let ordinal = 0
  for await (const read of readTextLines(body, { maxLineBytes: maxVectorLineBytes })) {
    if (ordinal === maxVectorLines) throw appError('too_large', `more than ${maxVectorLines} items`)
    const { line } = read
    const numbered = { line, ordinal: ordinal++, text: 'text' in read ? read.text : '' }
    const item = await parseVectorLine(numbered, spec)
    yield ['problem' in read ? refusedLine(item, read) : item]
  }
}

const refusedLine = (
  { listed }: SuppliedItem,
  { line, problem }: { line: number; problem: string }
): SuppliedItem => ({
  listed: { ...listed, failure: { code: 'invalid_request', message: `line ${line}: ${problem}` } }
})

async function* counted(
  req: Request,
  { hash, maxBytes }: { hash: { update(bytes: Uint8Array): unknown } | undefined; maxBytes: number }
): AsyncGenerator<Uint8Array> {
  let bytes = 0
  // The request stays open when reading stops early, so that the sender still gets an answer.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes)
      throw appError('too_large', `the body has more than ${maxBytes} bytes`, {
        detail: { max_bytes: maxBytes }
      })
    hash?.update(chunk)
    yield chunk
  }
  if (req.destroyed && !req.complete) throw appError('invalid_request', 'the body was cut off')
}
