// Builds a merge: reads its inputs in their committed state and writes the merged segment under new
// names. Memory holds the inputs' indexes, the new one and some columns. Payloads and full vectors
// pass through in pieces.
import { setImmediate } from 'node:timers/promises'
import { collectionKeys, type CollectionKeys } from '@likeness/shared/contract/keys'
import { denseRows, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { ColumnBuilder } from '../columns/column-builder.ts'
import { encodeColumns } from '../columns/column-file.ts'
import { rowFileBytes } from '../files/row-file.ts'
import { decodePayload, encodePayload, readAttributes } from '../item/item-payload.ts'
import { applyUpdate } from '../item/payload-updates.ts'
import { createItemTable, hashBytes, type ItemTable } from '../segment/item-table.ts'
import { openSegment, type OpenSegment } from '../segment/open-segment.ts'
import {
  pointsToTrain,
  type Quantizer,
  readQuantizer,
  trainQuantizer
} from '../segment/quantizer.ts'
import { PayloadCursor, RowCursor } from '../segment/segment-cursors.ts'
import type { BuiltIndex, SegmentFiles } from '../segment/segment-files.ts'
import { columnsFromItems, tunedOf } from '../segment/segment-write.ts'
import { indexMetric, keepsVectors, needsQuantizer } from '../vector-index/segment-config.ts'
import type { FileRef, ManifestSegment } from '../version/manifest.ts'
import { GatheredRows } from './gathered-rows.ts'
import { type MergeOrder, orderMerge } from './merge-order.ts'
import type { MergeResult, MergeTask } from './merge-task.ts'

const rowsPerPiece = 4096
const bytesPerPiece = 1024 * 1024
const itemsPerTurn = 4096

interface Merging {
  files: SegmentFiles
  keys: CollectionKeys
  task: MergeTask
  inputs: OpenSegment[]
  order: MergeOrder
  /** Number of the input whose graph is kept; -1: no input. */
  kept: number
}

async function withCursors<C extends { close(): Promise<void> }, T>(
  inputs: readonly OpenSegment[],
  open: (input: OpenSegment) => Promise<C>,
  use: (cursors: C[]) => Promise<T>
): Promise<T> {
  const cursors: C[] = []
  try {
    for (const input of inputs) cursors.push(await open(input))
    return await use(cursors)
  } finally {
    for (const cursor of cursors) await cursor.close()
  }
}

/**
 * Yields pieces of the vectors of all rows with a place, or of those of some inputs, in the order
 * of their places.
 */
async function* vectorPieces(
  { inputs, order, task, kept }: Merging,
  cursors: readonly RowCursor[],
  isWanted: (input: number) => boolean
): AsyncIterable<VectorRows> {
  const gathered = new GatheredRows(task.spec.embedding, rowsPerPiece)
  async function* rowsInOrder(): AsyncIterable<VectorRows> {
    for (let i = 0; i < order.item.length; i++) {
      const input = order.input[i]!
      if (!isWanted(input)) continue
      const { firstRow } = inputs[input]!.meta
      for (let row = firstRow[order.item[i]!]!; row < firstRow[order.item[i]! + 1]!; row++)
        yield await cursors[input]!.read(row)
    }
    const places = order.places[kept]
    if (places === undefined || !isWanted(kept)) return
    for (let row = 0; row < places.length; row++)
      if (places[row]! >= order.itemRows) yield await cursors[kept]!.read(row)
  }
  for await (const vector of rowsInOrder()) {
    gathered.add(vector)
    if (gathered.isFull) yield gathered.take()
  }
  if (!gathered.isEmpty) yield gathered.take()
}

/** Returns evenly spaced rows, as many as training uses. */
async function sample({ files, inputs, order, task }: Merging): Promise<Float32Array> {
  const { dim } = task.spec.embedding
  const wanted = Math.min(order.itemRows, pointsToTrain(order.itemRows))
  const out = new Float32Array(wanted * dim)
  return await withCursors(
    inputs,
    (input) => RowCursor.open(files, input, dim),
    async (cursors) => {
      let taken = 0
      for (const [i, places] of order.places.entries()) {
        for (let row = 0; row < places.length; row++) {
          const place = places[row]!
          if (
            place < 0 ||
            place >= order.itemRows ||
            Math.floor((place * wanted) / order.itemRows) ===
              Math.floor(((place - 1) * wanted) / order.itemRows)
          )
            continue
          out.set(denseRows(await cursors[i]!.read(row)), taken++ * dim)
        }
      }
      return out
    }
  )
}

async function quantizerFor(merging: Merging): Promise<Quantizer | undefined> {
  const {
    files,
    keys,
    task: { plan, quantizer, spec, quantizerId }
  } = merging
  if (!needsQuantizer(plan.config)) return undefined
  if (quantizer !== null && !plan.retrain) return await readQuantizer(files, quantizer)
  return await trainQuantizer(
    { files, keys, newId: () => quantizerId },
    spec,
    await sample(merging),
    { rows: merging.order.itemRows, trainedOn: plan.liveRows }
  )
}

async function writeIndex(merging: Merging, quantizer: Quantizer | undefined): Promise<BuiltIndex> {
  const {
    files,
    keys,
    inputs,
    order,
    kept,
    task: {
      plan: { way, config },
      spec,
      segmentId
    }
  } = merging
  const {
    embedding: { dim },
    settings: { target_recall: targetRecall }
  } = spec
  const key = keys.segmentFile(segmentId, 'index')
  const input = {
    config,
    dim,
    targetRecall,
    metric: indexMetric(spec.metric),
    quantizer: quantizer && { nlist: quantizer.ref.nlist, body: quantizer.body }
  }
  const moved = (i: number) => ({ ref: inputs[i]!.ref, places: order.places[i]! })
  if (way === 'lists')
    return await files.putLists(
      key,
      input,
      inputs.map((_, i) => moved(i))
    )
  const others = inputs.filter((_, i) => i !== kept)
  return await withCursors(
    others,
    (one) => RowCursor.open(files, one, dim),
    async (opened) => {
      const cursors = inputs.map((one) => opened[others.indexOf(one)]!)
      const pieces = vectorPieces(merging, cursors, (i) => i !== kept)
      if (kept < 0) return await files.putIndex(key, input, { count: order.rows, pieces })
      const places = order.places.flatMap((of, i) =>
        i === kept ? [] : [of.filter((place) => place >= 0)]
      )
      return await files.putGrown(key, moved(kept), { pieces, places: ascending(places) }, input)
    }
  )
}

/** Returns all numbers as one ascending list. */
function ascending(lists: readonly Int32Array[]): Int32Array {
  const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const list of lists) {
    all.set(list, at)
    at += list.length
  }
  return all.sort()
}

async function writeVectors(merging: Merging): Promise<FileRef | undefined> {
  const {
    files,
    keys,
    inputs,
    task: { plan, spec, segmentId }
  } = merging
  if (!keepsVectors(plan.config, spec)) return undefined
  return await withCursors(
    inputs,
    (one) => RowCursor.open(files, one, spec.embedding.dim),
    async (cursors) => {
      return await files.putPieces(
        keys.segmentFile(segmentId, 'vectors'),
        rowFileBytes(vectorPieces(merging, cursors, () => true))
      )
    }
  )
}

/** Writes payload and columns of the result. Fills the payload offsets of its item table. */
async function writePayload(
  { files, keys, inputs, order, task: { segmentId } }: Merging,
  meta: ItemTable
): Promise<{ payload: FileRef; columns: FileRef | undefined }> {
  const columns = meta.items >= columnsFromItems ? new ColumnBuilder() : undefined
  return await withCursors(
    inputs,
    (input) => PayloadCursor.open(files, input),
    async (cursors) => {
      async function* bytes(): AsyncIterable<Uint8Array> {
        let held: Buffer[] = []
        let heldBytes = 0
        let offset = 0
        for (let i = 0; i < meta.items; i++) {
          if (i % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
          const [input, item] = [order.input[i]!, order.item[i]!]
          const stored = await cursors[input]!.read(item)
          const update = inputs[input]!.updates.get(item)
          const body =
            update === undefined
              ? stored
              : encodePayload(applyUpdate(decodePayload(stored), update))
          columns?.add(readAttributes(body))
          offset += body.length
          meta.payloadOffset[i + 1] = offset
          held.push(body)
          heldBytes += body.length
          if (heldBytes < bytesPerPiece) continue
          yield Buffer.concat(held)
          held = []
          heldBytes = 0
        }
        if (held.length > 0) yield Buffer.concat(held)
      }
      const payload = await files.putPieces(keys.segmentFile(segmentId, 'payload'), bytes())
      return {
        payload,
        columns:
          columns &&
          (await files.put(keys.segmentFile(segmentId, 'columns'), encodeColumns(columns.build())))
      }
    }
  )
}

function fillMeta({ inputs, order }: Merging, meta: ItemTable): void {
  let row = 0
  for (let i = 0; i < meta.items; i++) {
    const { meta: from } = inputs[order.input[i]!]!
    const item = order.item[i]!
    meta.revision[i] = from.revision[item]!
    meta.ordinal[i] = from.ordinal[item]!
    from.hashes.copy(meta.hashes, i * hashBytes, item * hashBytes, (item + 1) * hashBytes)
    meta.firstRow[i] = row
    row += from.firstRow[item + 1]! - from.firstRow[item]!
  }
  meta.firstRow[meta.items] = row
}

/**
 * Throws object_not_found when an input is collected meanwhile. After a rejection some files may be
 * written. No manifest names them, so they are collected.
 */
export async function buildMerge(files: SegmentFiles, task: MergeTask): Promise<MergeResult> {
  const { plan, spec, segmentId } = task
  const keys = collectionKeys(spec.collectionId)
  const inputs = await Promise.all(task.inputs.map((ref) => openSegment(files, ref)))
  const kept =
    plan.way === 'clone'
      ? inputs.reduce((best, { ref }, i) => (ref.rows > inputs[best]!.ref.rows ? i : best), 0)
      : -1
  const merging: Merging = {
    files,
    keys,
    task,
    inputs,
    order: await orderMerge(inputs, kept),
    kept
  }
  const {
    rows,
    item: { length: items }
  } = merging.order
  if (items === 0) return { segment: null, quantizer: null }
  const quantizer = await quantizerFor(merging)
  const { meta, body } = createItemTable(items, rows)
  fillMeta(merging, meta)
  const index = await writeIndex(merging, quantizer)
  const vectors = await writeVectors(merging)
  const { payload, columns } = await writePayload(merging, meta)
  const segment: ManifestSegment = {
    id: segmentId,
    ...plan.config,
    ...tunedOf(index),
    items,
    rows,
    deletions: null,
    files: {
      index: index.file,
      meta: await files.put(keys.segmentFile(segmentId, 'meta'), body),
      payload,
      columns,
      vectors
    },
    ...(quantizer && { quantizer: { key: quantizer.ref.key, nlist: quantizer.ref.nlist } })
  }
  const isNew = quantizer !== undefined && quantizer.ref.key !== task.quantizer?.key
  return { segment, quantizer: isNew ? quantizer.ref : null }
}
