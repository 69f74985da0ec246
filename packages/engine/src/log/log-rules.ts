// The rules that keep an operation from getting lost, or into the log twice, while slots of it are
// deleted. They are replaceable, so that the simulation can show that each of them is needed.
import type { FoldedSlots, WantedOperation } from './folded-slots.ts'
import type { Appended } from './log-slots.ts'

export interface LogRules {
  /** Whether the operations of a slot, that was created or found, count. `floor`: read after that. */
  isPartOfLog(slot: number, floor: number): boolean
  /** Whether a slot is the last one, when the next was not there. `floor`: read after that. */
  isEnd(slot: number, floor: number): boolean
  /** Finds operations in slots that were folded, by their id. */
  findFolded(
    folded: FoldedSlots,
    wanted: readonly WantedOperation[]
  ): Promise<Map<string, Appended>>
}

export const logRules: LogRules = {
  isPartOfLog: (slot, floor) => slot > floor,
  isEnd: (slot, floor) => floor <= slot,
  findFolded: (folded, wanted) => folded.find(wanted)
}
