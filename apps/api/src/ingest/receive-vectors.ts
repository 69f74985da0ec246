// Reads a body of items with vectors, NDJSON, and stores its vector batches as it comes. Nothing refers to them before the log entry.
import { createHash } from 'node:crypto'
import type { Request } from 'express'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { encodeVectorBatch } from '@likeness/shared/contract/vector-batch'
import type { BatchItem } from '@likeness/shared/contract/vector-batch'
import { appError } from '@likeness/shared/errors'
import { collectionKeys } from '@likeness/shared/keys'
import type { ObjectStore } from '@likeness/shared/store/object-store'
import { readTextLines } from '@likeness/shared/text-lines'
import { createUlid } from '@likeness/shared/ulid'
import { parseVectorLine } from './vector-line.ts'

export const maxVectorLines = 10_000
/** An item has at most 1000 rows. */
const maxLineBytes = 32 * 1024 * 1024
const batchBytes = 4 * 1024 * 1024
const batchItems = 256

export interface VectorsTarget {
  store: ObjectStore
  spec: CollectionSpec
  ingestion: string
  maxBytes: number
  nowMs: () => number
}
export interface ReceivedVectors {
  lines: ItemListLine[]
  /** Of the whole body. */
  sha256: string
}

/** too_large past `maxBytes` or `maxVectorLines`; the caller deletes what was stored after any rejection. */
export async function receiveVectors(req: Request, target: VectorsTarget): Promise<ReceivedVectors> {
  const { spec, maxBytes } = target
  const hash = createHash('sha256')
  const lines: ItemListLine[] = []
  const batch = createBatch(target)
  for await (const read of readTextLines(counted(req, { hash, maxBytes }), { maxLineBytes })) {
    if (lines.length === maxVectorLines) throw appError('too_large', `more than ${maxVectorLines} items`)
    const numbered = { line: read.line, ordinal: lines.length, text: 'text' in read ? read.text : '' }
    const { listed, embedded } = parseVectorLine(numbered, spec)
    lines.push('problem' in read ? { ...listed, failure: { code: 'invalid_request', message: `line ${read.line}: ${read.problem}` } } : listed)
    if (embedded !== undefined) await batch.add(embedded.item, embedded.vectors)
  }
  await batch.flush()
  return { lines, sha256: hash.digest('hex') }
}

async function* counted(req: Request, { hash, maxBytes }: { hash: { update(bytes: Uint8Array): unknown }; maxBytes: number }): AsyncGenerator<Uint8Array> {
  let bytes = 0
  // The request stays open when reading stops early: its sender still gets an answer.
  for await (const chunk of req.iterator({ destroyOnReturn: false }) as AsyncIterable<Uint8Array>) {
    bytes += chunk.byteLength
    if (bytes > maxBytes) throw appError('too_large', `the body has more than ${maxBytes} bytes`, { detail: { max_bytes: maxBytes } })
    hash.update(chunk)
    yield chunk
  }
  if (req.destroyed && !req.complete) throw appError('invalid_request', 'the body was cut off')
}

function createBatch({ store, spec: { incarnation, embedding }, ingestion, nowMs }: VectorsTarget) {
  let items: BatchItem[] = []
  let parts: Float32Array[] = []
  let bytes = 0
  async function flush(): Promise<void> {
    if (items.length === 0) return
    const vectors = new Float32Array(bytes / 4)
    let at = 0
    for (const part of parts) {
      vectors.set(part, at)
      at += part.length
    }
    const header = { incarnation, ingestion, embeddingVersion: embedding.version, dim: embedding.dim, rawDim: 0, items }
    const key = collectionKeys(incarnation).batch(ingestion, items[0]!.ordinal, createUlid(nowMs()))
    await store.put(key, encodeVectorBatch({ header, vectors, raw: new Uint16Array(0) }))
    items = []
    parts = []
    bytes = 0
  }
  return {
    async add(item: BatchItem, vectors: Float32Array): Promise<void> {
      items.push(item)
      parts.push(vectors)
      bytes += vectors.byteLength
      if (items.length >= batchItems || bytes >= batchBytes) await flush()
    },
    flush
  }
}
