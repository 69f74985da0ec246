// Item lines of small ingestions that are open: in their log entry, or in a base once its slot is folded.
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { slotOf } from '@likeness/shared/contract/operation'
import { retryStore } from '@likeness/store/retry-store'
import { type CarriedLines, partsWith, readCarried } from '../base/carried-lines.ts'
import { HeldLogs } from '../base/held-logs.ts'
import { KeptReads } from '../base/kept-reads.ts'
import type { BaseRef } from '../state/history.ts'
import { readInlineLines } from './inline-lines.ts'
import type { WorkSource } from './read-log.ts'
import { isLost } from '../state/read-state.ts'

/** Bytes of the parts that are kept: a feeder asks for neighbours. */
const keptBytes = 4 * 1024 * 1024

export class SmallLines {
  private readonly source: WorkSource
  private readonly held: HeldLogs
  private readonly parts: KeptReads<CarriedLines>

  constructor(source: WorkSource) {
    const { store, clock, signal } = source
    this.source = source
    this.held = new HeldLogs(store)
    this.parts = new KeptReads(keptBytes, (file) =>
      retryStore(clock, () => readCarried(store, file), signal)
    )
  }

  /** Returns lines by revision. Those of which the entry or the base is damaged are left out. */
  async read(
    revisions: readonly number[],
    base: BaseRef | null
  ): Promise<Map<number, ItemListLine[]>> {
    const folded = base?.holdsLog === true ? base.appliedSlot : 0
    const isCarried = (revision: number): boolean => slotOf(revision) <= folded
    const logged = revisions.filter((revision) => !isCarried(revision))
    const lines = await readInlineLines(this.source, logged)
    const carried = revisions.filter(isCarried)
    if (carried.length > 0 && base !== null)
      for (const part of await this.carriedParts(carried, base))
        for (const revision of carried) {
          const found = part.get(revision)
          if (found !== undefined) lines.set(revision, found)
        }
    return lines
  }

  private async carriedParts(revisions: readonly number[], ref: BaseRef): Promise<CarriedLines[]> {
    const { clock, signal } = this.source
    try {
      const { lines } = await retryStore(clock, () => this.held.get(ref), signal)
      const read: CarriedLines[] = []
      for (const { file } of partsWith(lines, revisions)) read.push(await this.parts.get(file))
      return read
    } catch (error) {
      if (!isLost(error)) throw error
      return []
    }
  }
}
