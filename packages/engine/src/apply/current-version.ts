// The newest version of an item that the state has: pending, in a segment, or deleted.
import { hashName } from '../item/item-hash.ts'
import type { ItemVersion } from '../item/item-version.ts'
import { findLiveRows, type LiveRows, markDeleted, type WriterState } from './writer-state.ts'

export interface CurrentVersion {
  version: ItemVersion
  live?: LiveRows
}

export function currentVersionOf(
  state: WriterState,
  hash: Buffer,
  name = hashName(hash)
): CurrentVersion | undefined {
  const pending = state.pending.get(name)
  if (pending !== undefined) return { version: pending.version }
  const live = findLiveRows(state, hash)
  if (live !== undefined) return { version: live.version, live }
  const tombstone = state.tombstones.get(name)
  return tombstone === undefined ? undefined : { version: tombstone }
}

/** Removes an item from the place that holds it now. */
export function removeCurrent(
  state: WriterState,
  name: string,
  now: CurrentVersion | undefined
): void {
  state.pending.delete(name)
  if (now?.live !== undefined) markDeleted(now.live)
  state.tombstones.delete(name)
}
