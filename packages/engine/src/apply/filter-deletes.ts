// Deletion by filter. Like every operation it is in the log once and takes its place in the order of acceptance: at its revision, every item whose
// newest version below it matches is gone, with the label and metadata that relabels below it gave.
//
// It is logged as the filter, not as the ids that some version held: ids would miss items of older ingestions that are still being embedded,
// and would hit items that were relabelled or replaced between that version and the revision. The writer applies it to what is live when its slot
// comes; for items of older ingestions that come later it waits, as tombstones do, and each is judged as it was at that revision. A match is then
// dead at its own version, not at that of the deletion, so a newer version of the item that does not match still takes its place. The result
// depends on the log and the batches alone, in whatever order batches come, and a rebuild gives it again.
import { setImmediate } from 'node:timers/promises'
import type { Filter, FilterScalar } from '@likeness/shared/contract/filter'
import { attributeReader } from '../columns/attribute-reader.ts'
import { ColumnBuilder, metadataKey } from '../columns/column-builder.ts'
import { openColumnFile } from '../columns/column-file.ts'
import type { Column } from '../columns/column.ts'
import { compileFilter, filterColumns, matchesFilter } from '../columns/filter-match.ts'
import { hashName } from '../item/item-hash.ts'
import { type Attributes, decodePayload, readAttributes } from '../item/item-payload.ts'
import type { ItemVersion } from '../item/item-version.ts'
import { applyUpdate, type PendingUpdate, pendingUpdateFor } from '../item/payload-updates.ts'
import { hashOf, versionOf } from '../segment/item-table.ts'
import type { OpenSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { PendingFilterDelete } from '../version/filter-delete-file.ts'
import { markDeleted, oldestOpen, type WriterState } from './writer-state.ts'

const itemsPerTurn = 65_536

function valuesOf({ label, metadata }: Attributes): (column: string) => FilterScalar | undefined {
  return (column) => {
    if (column === 'label') return label ?? undefined
    const key = metadataKey(column)
    return Object.hasOwn(metadata, key) ? (metadata[key] ?? undefined) : undefined
  }
}

/** Whether an item that comes now was deleted by a filter accepted after it. `waiting`: what it was relabelled to since. */
export function isFilterDeleted(
  { filterDeletes }: WriterState,
  item: Attributes,
  version: ItemVersion,
  waiting: readonly PendingUpdate[]
): boolean {
  return filterDeletes.some(
    ({ revision, filter }) =>
      revision > version.revision &&
      matchesFilter(
        filter,
        valuesOf(applyUpdate(item, pendingUpdateFor(waiting, version.revision, revision)))
      )
  )
}

/** Deletes what matches now, and waits for what is still to come; how many items are gone. */
export async function applyFilterDelete(
  state: WriterState,
  filterDelete: PendingFilterDelete,
  files: SegmentFiles
): Promise<number> {
  const { filter } = filterDelete
  const oldest = oldestOpen(state)
  let gone = 0
  const kill = (name: string, version: ItemVersion): void => {
    gone++
    // Only an open ingestion can bring this version or an older one.
    if (version.revision < oldest) return
    state.tombstones.set(name, version)
    state.tombstonesChanged = true
  }
  for (const segment of state.segments) {
    for (const item of await matchingItems(segment, filter, files)) {
      markDeleted({ segment, item })
      kill(hashName(hashOf(segment.meta, item)), versionOf(segment.meta, item))
    }
  }
  for (const [name, { payload, version }] of state.pending) {
    if (!matchesFilter(filter, valuesOf(decodePayload(payload)))) continue
    state.pending.delete(name)
    kill(name, version)
  }
  state.filterDeletes.push(filterDelete)
  state.filterDeletesChanged = true
  return gone
}

async function matchingItems(
  segment: OpenSegment,
  filter: Filter,
  files: SegmentFiles
): Promise<number[]> {
  const { meta, deleted, updates } = segment
  const columns = await readColumns(segment, filterColumns(filter), files)
  const test = compileFilter(filter, columns)
  const read = attributeReader(updates, columns)
  const matching: number[] = []
  for (let item = 0; item < meta.items; item++) {
    if (item % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
    if (deleted.has(meta.firstRow[item]!)) continue
    if (updates.has(item) ? matchesFilter(filter, (name) => read(item, name)) : test(item))
      matching.push(item)
  }
  return matching
}

async function readColumns(
  { ref, meta }: OpenSegment,
  names: ReadonlySet<string>,
  files: SegmentFiles
): Promise<Map<string, Column | undefined>> {
  const found = new Map<string, Column | undefined>()
  if (ref.files.columns !== undefined) {
    const body = await files.get(ref.files.columns)
    const file = await openColumnFile(async (offset, length) =>
      body.subarray(offset, offset + length)
    )
    for (const name of names) found.set(name, await file.read(name))
    if (file.complete || [...found.values()].every((column) => column !== undefined)) return found
  }
  // One of these has no column in the file, or there is none.
  const builders = new Map(
    [...names]
      .filter((name) => found.get(name) === undefined)
      .map((name) => [name, new ColumnBuilder(name)])
  )
  const payload = await files.get(ref.files.payload)
  for (let item = 0; item < meta.items; item++) {
    if (item % itemsPerTurn === itemsPerTurn - 1) await setImmediate()
    const attributes = readAttributes(
      payload.subarray(meta.payloadOffset[item], meta.payloadOffset[item + 1])
    )
    for (const builder of builders.values()) builder.add(attributes)
  }
  for (const [name, builder] of builders) found.set(name, builder.build().columns.get(name))
  return found
}
