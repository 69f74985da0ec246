// Builds a merge: reads its inputs in their committed state and writes the merged segment under new
// names. Memory holds the inputs' indexes, the new one and some columns. Payloads and full vectors
// pass through in pieces.
import { collectionKeys } from '@likeness/shared/contract/keys'
import { createItemTable } from '../segment/item-table.ts'
import { openSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { tunedOf } from '../segment/segment-write.ts'
import type { ManifestSegment } from '../version/manifest.ts'
import { orderMerge } from './merge-order.ts'
import type { MergeResult, MergeTask } from './merge-task.ts'
import { fillArrivals, fillMeta, writePayload } from './merged-items.ts'
import { quantizerFor, writeIndex, writeVectors } from './merged-rows.ts'
import type { Merging } from './merging-inputs.ts'

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
  const { meta, arrivals, body } = createItemTable(items, rows)
  fillMeta(merging, meta)
  await fillArrivals(merging, arrivals)
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
