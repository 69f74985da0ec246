// Rules that decide which of two changes of an item wins, and which item of a batch counts.
// Replaceable: the simulation removes one rule at a time.
import { type ItemVersion, supersedes } from '../item/item-version.ts'
import type { OrdinalRanges } from '../version/ordinal-ranges.ts'

export interface ApplyRules {
  supersedes(next: ItemVersion, current: ItemVersion): boolean
  /** Revision of the items that a restore at `revision` brings back. */
  restoredAt(revision: number): number
  /** Returns false when this ordinal has already had its effect. */
  claim(done: OrdinalRanges, ordinal: number, batchKey: string): boolean
  /** Whether a shared batch may be taken in. `slot`: the newest log slot of its ingestions. */
  mayTake(slot: number, appliedSlot: number): boolean
}

export const applyRules: ApplyRules = {
  supersedes,
  restoredAt: (revision) => revision,
  claim: (done, ordinal) => done.add(ordinal),
  mayTake: (slot, appliedSlot) => slot <= appliedSlot
}
