// Filter deletes: applying them to the live items, and keeping them for items that arrive later.
import type { Filter, FilterScalar } from '@likeness/shared/contract/filter'
import { Turns } from '@likeness/shared/process/turns'
import { attributeReader } from '../columns/attribute-reader.ts'
import { ColumnBuilder, metadataKey } from '../columns/column-builder.ts'
import { openColumnFile } from '../columns/column-file.ts'
import type { Column } from '../columns/column.ts'
import { matchItems } from '../columns/filter-items.ts'
import { filterColumns, matchesFilter } from '../columns/filter-match.ts'
import { hashName } from '../item/item-hash.ts'
import { type Attributes, decodePayload, readAttributes } from '../item/item-payload.ts'
import type { ItemVersion } from '../item/item-version.ts'
import { applyUpdate, type PendingUpdate, pendingUpdateFor } from '../item/payload-updates.ts'
import { hashOf, versionOf } from '../segment/item-table.ts'
import type { OpenSegment } from '../segment/open-segment.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import { revisionKey } from '../state/job-record.ts'
import { markDeleted, oldestOpen, type WriterState } from './writer-state.ts'

/** Items between two looks at the time. */
const itemsPerLook = 16_384

function valuesOf({ label, metadata }: Attributes): (column: string) => FilterScalar | undefined {
  return (column) => {
    if (column === 'label') return label ?? undefined
    const key = metadataKey(column)
    return Object.hasOwn(metadata, key) ? (metadata[key] ?? undefined) : undefined
  }
}

/**
 * Whether an item that arrives now is deleted by a filter delete that was accepted after the item.
 * `waiting`: pending updates of the item. The item is compared in its state at the revision of that
 * filter delete.
 */
export function isFilterDeleted(
  { filterDeletes }: WriterState,
  item: Attributes,
  version: ItemVersion,
  waiting: readonly PendingUpdate[]
): boolean {
  for (const [key, filter] of filterDeletes) {
    const revision = Number(key)
    if (revision <= version.revision) continue
    const then = applyUpdate(item, pendingUpdateFor(waiting, version.revision, revision))
    if (matchesFilter(filter, valuesOf(then))) return true
  }
  return false
}

/**
 * Applies a filter delete: deletes the items that match now, and keeps the filter for items that
 * come later. Returns the number of deleted items.
 *
 * Like every operation, a filter delete is in the log once, at one place in the order of
 * acceptance. At its revision, all items whose newest version below that revision matches are
 * deleted. The match uses the label and metadata after the payload updates below that revision.
 *
 * The log holds the filter, not the ids of a version. Ids would miss items of older ingestions that
 * are still being embedded. They would also hit items that were updated or replaced between that
 * version and the revision. The writer applies the filter to the live items when its slot comes.
 * Like a tombstone, the filter then waits for items of older ingestions that come later. Each of
 * them is compared in its state at that revision.
 *
 * A match is dead at its own version, not at the revision of the delete. So a newer version of the
 * item that does not match still takes its place. The result depends only on the log and the
 * batches, for any order of the batches. A rebuild gives the same result.
 */
export async function applyFilterDelete(
  state: WriterState,
  { revision, filter }: { revision: number; filter: Filter },
  files: SegmentFiles
): Promise<number> {
  const oldest = oldestOpen(state)
  let gone = 0
  const kill = (name: string, version: ItemVersion): void => {
    gone++
    // Versions older than every open ingestion cannot come again.
    if (version.revision < oldest) return
    state.tombstones.set(name, version)
  }
  for (const segment of state.segments) {
    for (const item of await matchingItems(segment, filter, files)) {
      markDeleted({ segment, item })
      kill(hashName(hashOf(segment.meta, item)), versionOf(segment.meta, item))
    }
  }
  const turns = new Turns()
  for (const [name, { payload, version }] of state.pending) {
    await turns.take()
    if (!matchesFilter(filter, valuesOf(decodePayload(payload)))) continue
    state.pending.delete(name)
    kill(name, version)
  }
  state.filterDeletes.set(revisionKey(revision), filter)
  return gone
}

async function matchingItems(
  segment: OpenSegment,
  filter: Filter,
  files: SegmentFiles
): Promise<number[]> {
  const { meta, deleted, updates } = segment
  const turns = new Turns()
  const columns = await readColumns(segment, { names: filterColumns(filter), files, turns })
  const matches = await matchItems(filter, { columns, items: meta.items, turns })
  const read = attributeReader(updates, columns)
  const matching: number[] = []
  for (let item = 0; item < meta.items; item++) {
    if (updates.has(item) || item % itemsPerLook === itemsPerLook - 1) await turns.take()
    if (deleted.has(meta.firstRow[item]!)) continue
    const isMatch = updates.has(item)
      ? matchesFilter(filter, (name) => read(item, name))
      : matches[item] === 1
    if (isMatch) matching.push(item)
  }
  return matching
}

async function readColumns(
  { ref, meta }: OpenSegment,
  { names, files, turns }: { names: ReadonlySet<string>; files: SegmentFiles; turns: Turns }
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
  // The file lacks a column for one of these names, or there is no such file. So build the columns
  // from the payload.
  const builders = new Map(
    [...names]
      .filter((name) => found.get(name) === undefined)
      .map((name) => [name, new ColumnBuilder(name)])
  )
  const payload = await files.get(ref.files.payload)
  for (let item = 0; item < meta.items; item++) {
    await turns.take()
    const attributes = readAttributes(
      payload.subarray(meta.payloadOffset[item], meta.payloadOffset[item + 1])
    )
    for (const builder of builders.values()) builder.add(attributes)
  }
  for (const [name, builder] of builders) found.set(name, builder.build().columns.get(name))
  return found
}
