// Verifies that the files of a segment are whole, have the right content, and agree with each
// other.
import { open } from 'node:fs/promises'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import { slotOf } from '@likeness/shared/contract/operation'
import { denseProblem, isSparse, sparseProblem } from '@likeness/shared/contract/vector-rows'
import { openColumnFile } from '../columns/column-file.ts'
import { codeCount } from '../columns/column.ts'
import { LocalFile } from '../files/local-file.ts'
import { openRowFile } from '../files/row-file.ts'
import { itemHash } from '../item/item-hash.ts'
import { decodePayload } from '../item/item-payload.ts'
import { decodePayloadUpdates } from '../item/payload-updates.ts'
import { decodeItemTable, hashBytes, hashOf, type ItemTable } from '../segment/item-table.ts'
import { readSegmentIndex } from '../vector-index/open-index.ts'
import { indexMetric, keepsVectors } from '../vector-index/segment-config.ts'
import { Bitmap } from '../version/bitmap.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import type { VerifyFiles } from './verify-files.ts'

const itemsPerRead = 1024
const rowsPerRead = 1024

export interface VerifiedSegment {
  ref: ManifestSegment
  meta: ItemTable
  deleted: Bitmap
}

/** Returns undefined when the item table or the deletions cannot be read. */
export async function verifySegment(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  { spec, appliedSlot }: { spec: CollectionSpec; appliedSlot: number }
): Promise<VerifiedSegment | undefined> {
  const meta = await inspection.read(ref.files.meta, decodeItemTable)
  if (meta !== undefined) checkMeta(inspection, ref, meta, appliedSlot)
  await verifyIndex(inspection, ref, spec)
  await verifyVectors(inspection, ref, spec)
  await verifyPayload(inspection, ref, meta)
  await verifyColumns(inspection, ref)
  await verifyOverlay(inspection, ref)
  const deleted = await verifyDeletions(inspection, ref, meta)
  return meta === undefined || deleted === undefined ? undefined : { ref, meta, deleted }
}

function checkMeta(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  meta: ItemTable,
  appliedSlot: number
): void {
  const { key } = ref.files.meta
  const { items, rows, firstRow, payloadOffset, hashes, revision } = meta
  inspection.expect(
    items === ref.items && rows === ref.rows,
    'count',
    key,
    `${items} items and ${rows} rows, the manifest says ${ref.items} and ${ref.rows}`
  )
  inspection.expect(
    firstRow[0] === 0 && firstRow[items]! <= rows,
    'count',
    key,
    `its items own rows ${firstRow[0]} to ${firstRow[items]} of ${rows}`
  )
  inspection.expect(
    payloadOffset[0] === 0 && payloadOffset[items] === ref.files.payload.sizeBytes,
    'count',
    key,
    `payload to ${payloadOffset[items]} of ${ref.files.payload.sizeBytes} bytes`
  )
  const broken = { rows: 0, payload: 0, order: 0, revision: 0 }
  for (let item = 0; item < items; item++) {
    if (firstRow[item + 1]! <= firstRow[item]!) broken.rows++
    if (payloadOffset[item + 1]! <= payloadOffset[item]!) broken.payload++
    if (
      item > 0 &&
      hashes.compare(
        hashes,
        (item - 1) * hashBytes,
        item * hashBytes,
        item * hashBytes,
        (item + 1) * hashBytes
      ) <= 0
    )
      broken.order++
    if (
      !Number.isSafeInteger(revision[item]) ||
      slotOf(revision[item]!) < 1 ||
      slotOf(revision[item]!) > appliedSlot
    )
      broken.revision++
  }
  for (const [what, count] of Object.entries(broken))
    inspection.expect(
      count === 0,
      'content',
      key,
      `${count} of ${items} items have a wrong ${what}`
    )
}

async function verifyIndex(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  { embedding, metric }: CollectionSpec
): Promise<void> {
  const { key } = ref.files.index
  await inspection.open(ref.files.index, async (path) => {
    const index = await readSegmentIndex(path, ref, { dim: embedding.dim, onDisk: true })
    try {
      inspection.expect(
        index.ntotal === ref.rows,
        'count',
        key,
        `${index.ntotal} vectors, the manifest says ${ref.rows} rows`
      )
      const [is, must] = [
        [index.kind, index.dim, index.metric, index.storage].join(),
        [ref.index, embedding.dim, indexMetric(metric), ref.storage].join()
      ]
      inspection.expect(is === must, 'content', key, `is ${is}, must be ${must}`)
    } finally {
      index.close()
    }
  })
}

/** Reads a piece at a time, because the file may be larger than the memory. */
async function verifyVectors(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  spec: CollectionSpec
): Promise<void> {
  const {
    files: { vectors, index },
    rows
  } = ref
  if (vectors === undefined) {
    inspection.expect(
      !keepsVectors(ref, spec),
      'content',
      index.key,
      `an index of ${ref.storage} without full vectors beside it`
    )
    return
  }
  await inspection.open(vectors, async (path) => {
    const { dim } = spec.embedding
    const local = await LocalFile.open(path)
    try {
      const file = await openRowFile(local, ref, { dim, sizeBytes: local.size })
      for (let first = 0; first < rows; first += rowsPerRead) {
        const values = await file.read(
          Int32Array.from({ length: Math.min(rowsPerRead, rows - first) }, (_, i) => first + i)
        )
        const problem = isSparse(values) ? sparseProblem(values, dim) : denseProblem(values)
        inspection.expect(
          problem === undefined,
          'content',
          vectors.key,
          `of the rows from ${first} on: ${problem}`
        )
      }
    } finally {
      await local.close()
    }
  })
}

/** Verifies that every item can be read and has the id of its hash. */
async function verifyPayload(
  inspection: VerifyFiles,
  ref: ManifestSegment,
  meta: ItemTable | undefined
): Promise<void> {
  const { key } = ref.files.payload
  await inspection.open(ref.files.payload, async (path) => {
    if (meta === undefined) return
    const file = await open(path)
    try {
      for (let first = 0; first < meta.items; first += itemsPerRead)
        checkItems(inspection, key, meta, await readItems(file, meta, first))
    } finally {
      await file.close()
    }
  })
}

async function readItems(
  file: Awaited<ReturnType<typeof open>>,
  { items, payloadOffset }: ItemTable,
  first: number
) {
  const end = Math.min(items, first + itemsPerRead)
  const start = payloadOffset[first]!
  const body = Buffer.alloc(Math.max(0, payloadOffset[end]! - start))
  await file.read(body, 0, body.length, start)
  return Array.from({ length: end - first }, (_, i) => ({
    item: first + i,
    body: body.subarray(payloadOffset[first + i]! - start, payloadOffset[first + i + 1]! - start)
  }))
}

function checkItems(
  inspection: VerifyFiles,
  key: string,
  meta: ItemTable,
  items: readonly { item: number; body: Buffer }[]
): void {
  for (const { item, body } of items) {
    const { id, rows } = decodePayload(body)
    const owned = meta.firstRow[item + 1]! - meta.firstRow[item]!
    inspection.expect(
      itemHash(id).equals(hashOf(meta, item)),
      'content',
      key,
      `item ${item} is ${id}, its hash is another's`
    )
    inspection.expect(
      rows.length === owned,
      'count',
      key,
      `${id} describes ${rows.length} rows and has ${owned}`
    )
  }
}

async function verifyColumns(inspection: VerifyFiles, ref: ManifestSegment): Promise<void> {
  const { columns } = ref.files
  if (columns === undefined) return
  await inspection.read(columns, async (body) => {
    const file = await openColumnFile(async (offset, length) =>
      body.subarray(offset, offset + length)
    )
    inspection.expect(
      file.items === ref.items,
      'count',
      columns.key,
      `columns of ${file.items} items, the manifest says ${ref.items}`
    )
    for (const name of file.names) {
      const column = (await file.read(name))!
      const count = codeCount(column)
      inspection.expect(
        column.items !== undefined || column.codes.length === file.items,
        'count',
        columns.key,
        `${name} has ${column.codes.length} values for ${file.items} items`
      )
      inspection.expect(
        column.codes.every((code) => code < count),
        'content',
        columns.key,
        `${name} has a value that is not in its dictionary`
      )
    }
  })
}

async function verifyOverlay(
  inspection: VerifyFiles,
  { overlay, items }: ManifestSegment
): Promise<void> {
  if (overlay === undefined) return
  await inspection.read(overlay, (body) => {
    const beyond = [...decodePayloadUpdates(body).keys()].filter((item) => item >= items).length
    inspection.expect(
      beyond === 0,
      'count',
      overlay.key,
      `relabels ${beyond} items beyond the ${items} of its segment`
    )
  })
}

async function verifyDeletions(
  inspection: VerifyFiles,
  { deletions, rows, files: { index } }: ManifestSegment,
  meta: ItemTable | undefined
): Promise<Bitmap | undefined> {
  if (deletions === null) {
    inspection.expect(
      meta === undefined || meta.firstRow[meta.items] === rows,
      'content',
      index.key,
      'rows of no item, and none is deleted'
    )
    return new Bitmap(rows)
  }
  const { key, count } = deletions
  return await inspection.read(deletions, (body) => {
    const stored = Bitmap.decode(body)
    const counted = Bitmap.ofBytes(stored.rows, stored.bytes)
    inspection.expect(
      stored.rows === rows,
      'count',
      key,
      `a bitmap over ${stored.rows} rows, the segment has ${rows}`
    )
    inspection.expect(
      counted.count === stored.count && counted.count === count,
      'count',
      key,
      `${counted.count} rows deleted, its head says ${stored.count}, the manifest ${count}`
    )
    inspection.expect(
      (stored.bytes.at(-1) ?? 0) >> (((rows - 1) & 7) + 1) === 0,
      'content',
      key,
      'rows past the end are deleted'
    )
    inspection.expect(
      meta === undefined || ofWholeItems(meta, stored),
      'content',
      key,
      'some rows of an item are deleted, others are not'
    )
    inspection.expect(
      meta === undefined || tombstonesAreDeleted(meta, stored),
      'content',
      key,
      'a row of no item is live'
    )
    return stored
  })
}

/**
 * Checks the rows behind those of items. They are deleted rows that a merge had to leave in the
 * graph that it kept.
 */
function tombstonesAreDeleted({ items, rows, firstRow }: ItemTable, deleted: Bitmap): boolean {
  for (let row = firstRow[items]!; row < rows; row++) if (!deleted.has(row)) return false
  return true
}

function ofWholeItems({ items, firstRow }: ItemTable, deleted: Bitmap): boolean {
  for (let item = 0; item < items; item++) {
    for (let row = firstRow[item]! + 1; row < firstRow[item + 1]!; row++)
      if (deleted.has(row) !== deleted.has(firstRow[item]!)) return false
  }
  return true
}
