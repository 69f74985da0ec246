// Item lines of small ingestions that are open: in their log entry, or in a base once its slot is folded.
import type { ItemListLine } from '@likeness/shared/contract/item-list'
import { slotOf } from '@likeness/shared/contract/operation'
import { isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { type Base, readBase } from '../base/base.ts'
import { type CarriedLines, type LinesPart, partsWith, readCarried } from '../base/carried-lines.ts'
import type { BaseRef } from '../state/history.ts'
import { readInlineLines } from './inline-lines.ts'
import type { WorkSource } from './read-log.ts'

/** Parts that are kept: a feeder asks for neighbours. */
const keptParts = 4

export class SmallLines {
  private readonly source: WorkSource
  private base: { key: string; lines: NonNullable<Base['log']>['lines'] } | undefined
  private readonly parts = new Map<string, CarriedLines>()

  constructor(source: WorkSource) {
    this.source = source
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
    const { store, clock, signal } = this.source
    try {
      if (this.base?.key !== ref.key) {
        const { log } = await retryStore(clock, () => readBase(store, ref), signal)
        this.base = { key: ref.key, lines: log?.lines ?? [] }
      }
      const read: CarriedLines[] = []
      for (const part of partsWith(this.base.lines, revisions)) read.push(await this.part(part))
      return read
    } catch (error) {
      if (!isAppError(error, 'data_corrupt') && !isAppError(error, 'object_not_found')) throw error
      return []
    }
  }

  private async part(part: LinesPart): Promise<CarriedLines> {
    const { store, clock, signal } = this.source
    const { key } = part.file
    const known = this.parts.get(key)
    if (known !== undefined) return known
    const lines = await retryStore(clock, () => readCarried(store, part), signal)
    const oldest = this.parts.keys().next().value
    if (this.parts.size >= keptParts && oldest !== undefined) this.parts.delete(oldest)
    this.parts.set(key, lines)
    return lines
  }
}
