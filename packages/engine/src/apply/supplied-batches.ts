// Ingestions with supplied vectors. Their batches are in the store before their log entry, so one
// listing finds all of them. Items that are in none of these batches cannot be embedded, so they
// fail.
import { decodeItemList, type ItemListLine } from '@likeness/shared/contract/item-list'
import { isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import { isOpen, type OpenIngestion } from '../log/open-ingestion.ts'
import { listOpenBatches } from '../log/read-batches.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { WriterState } from './writer-state.ts'

export class SuppliedBatches {
  private readonly source: WorkSource
  /** Batches that are listed and not taken yet, by ingestion. */
  private readonly left = new Map<string, Set<string>>()

  constructor(source: WorkSource) {
    this.source = source
  }

  /** Returns the batches to take, in order. Ingestions that are new here are listed first. */
  async outstanding(state: WriterState, seen: ReadonlySet<string>): Promise<string[]> {
    for (const [id, open] of suppliedOpen(state)) {
      if (!this.left.has(id))
        this.left.set(id, new Set(await listOpenBatches(this.source, id, open, seen)))
    }
    return [...this.left.values()].flatMap((keys) => [...keys])
  }

  taken(key: string): void {
    for (const keys of this.left.values()) keys.delete(key)
  }

  /** Fails the open items of ingestions whose batches are all taken. */
  async endDamaged(state: WriterState): Promise<void> {
    for (const [id, open] of suppliedOpen(state)) {
      if (this.left.get(id)?.size !== 0) continue
      await this.failOpen(id, open)
      state.dirty = true
    }
    for (const [id, keys] of this.left) if (keys.size === 0) this.left.delete(id)
  }

  private async failOpen(id: string, { record, done, failed }: OpenIngestion): Promise<void> {
    for (let first = 0; first < record.total; first += record.partSize) {
      const size = Math.min(record.partSize, record.total - first)
      if (done.countWithin(first, size) === size) continue
      const lines = await this.readPart(id, first)
      for (let ordinal = first; ordinal < first + size; ordinal++) {
        if (!done.add(ordinal)) continue
        const line = lines.get(ordinal)
        const failure = line?.failure ?? {
          code: 'data_corrupt',
          message: 'its vectors are damaged or missing; send it again'
        }
        failed.push({ ordinal, id: line?.id ?? '', line: line?.line ?? null, ...failure })
        record.failed++
      }
    }
  }

  /**
   * Returns the lines of a part by ordinal. If the part is damaged or gone, its items have no id:
   * the code that fails them must not fail.
   */
  private async readPart(id: string, first: number): Promise<Map<number, ItemListLine>> {
    const { store, clock, keys, signal } = this.source
    const key = keys.itemListPart(id, first)
    try {
      const stored = await retryStore(clock, () => store.get(key), signal)
      return new Map(
        stored === undefined
          ? []
          : decodeItemList(key, stored.body).map((line) => [line.ordinal, line])
      )
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      return new Map()
    }
  }
}

const suppliedOpen = (state: WriterState): [string, OpenIngestion][] =>
  [...state.ingestions].filter(([, open]) => open.record.given === true && isOpen(open))
