// Rows of a merged segment: the quantizer, the index and the full vectors.
import { denseRows } from '@likeness/shared/contract/vector-rows'
import { rowFileBytes } from '../files/row-file.ts'
import {
  pointsToTrain,
  type Quantizer,
  readQuantizer,
  trainQuantizer
} from '../segment/quantizer.ts'
import { RowCursor } from '../segment/segment-cursors.ts'
import type { BuiltIndex } from '../segment/segment-files.ts'
import { indexMetric, keepsVectors, needsQuantizer } from '../vector-index/segment-config.ts'
import { tuningOf } from '../vector-index/tune-index.ts'
import type { FileRef } from '../version/manifest.ts'
import { type Merging, vectorPieces, withCursors } from './merging-inputs.ts'

/** Returns evenly spaced rows, in the number that training uses. */
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

export async function quantizerFor(merging: Merging): Promise<Quantizer | undefined> {
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

export async function writeIndex(
  merging: Merging,
  quantizer: Quantizer | undefined
): Promise<BuiltIndex> {
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
  const { dim } = spec.embedding
  const key = keys.segmentFile(segmentId, 'index')
  const input = {
    config,
    dim,
    tuning: tuningOf(spec),
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

export async function writeVectors(merging: Merging): Promise<FileRef | undefined> {
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
