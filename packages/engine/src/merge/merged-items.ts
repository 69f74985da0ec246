// Items of a merged segment: payload, columns and item table.
import { setImmediate } from 'node:timers/promises'
import { ColumnBuilder } from '../columns/column-builder.ts'
import { encodeColumns } from '../columns/column-file.ts'
import { decodePayload, encodePayload, readAttributes } from '../item/item-payload.ts'
import { applyUpdate } from '../item/payload-updates.ts'
import { decodeArrivals, hashBytes, type ItemTable } from '../segment/item-table.ts'
import { PayloadCursor } from '../segment/segment-cursors.ts'
import { columnsFromItems } from '../segment/segment-write.ts'
import type { FileRef } from '../version/manifest.ts'
import { type Merging, withCursors } from './merging-inputs.ts'

const bytesPerPiece = 1024 * 1024
const itemsPerTurn = 4096

/**
 * Writes payload and columns of the result. Fills the payload offsets of the result's item table.
 */
export async function writePayload(
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

export function fillMeta({ inputs, order }: Merging, meta: ItemTable): void {
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

/** Reads the arrivals of an input only here: they are not in memory otherwise. */
export async function fillArrivals(
  { files, inputs, order }: Merging,
  arrivals: Float64Array
): Promise<void> {
  for (const [input, { ref }] of inputs.entries()) {
    const from = decodeArrivals(await files.get(ref.files.meta))
    for (let i = 0; i < arrivals.length; i++)
      if (order.input[i] === input) arrivals[i] = from[order.item[i]!]!
  }
}
