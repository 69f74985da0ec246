// The arrivals that a base has: those that are live in it, and those of its snapshots.
import { type Base, viewsOf } from '../base/base.ts'
import type { ReadFile } from '../state/read-state.ts'
import { ArrivalSet } from './arrival-set.ts'

/** Throws data_corrupt, or object_not_found. */
export async function heldArrivals(
  base: Pick<Base, 'view' | 'snapshots'>,
  read: ReadFile
): Promise<ArrivalSet> {
  const sets: ArrivalSet[] = []
  for (const { live } of viewsOf(base)) sets.push(ArrivalSet.decode(await read(live)))
  return ArrivalSet.union(sets)
}
