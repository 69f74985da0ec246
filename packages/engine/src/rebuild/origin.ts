// Of what a collection is made again, beside its log.
import { retryStore } from '@likeness/store/retry-store'
import { type Base, readBase } from '../history/base.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { History } from '../state/history.ts'
import type { BatchToTake } from './take-batches.ts'

export interface Origin {
  base?: Base | undefined
  /** Batches that are in no pack, with their numbers. Absent: those that are listed. */
  loose?: readonly BatchToTake[] | undefined
}

/** `history` null: a program before 0.4 has made the collection. */
export async function originOf(
  { store, clock, signal }: WorkSource,
  history: History | null,
  loose: readonly BatchToTake[]
): Promise<Origin> {
  if (history === null) return {}
  const { base } = history
  return {
    base: base === null ? undefined : await retryStore(clock, () => readBase(store, base), signal),
    loose
  }
}
