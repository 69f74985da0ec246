// Ingestions of a collection that have work left, or a result to write. What a commit and the next
// job need is kept at hand, so nothing here walks over all of them.
import type { IngestionRecord } from '../state/job-record.ts'
import { isOpen, type NamedIngestion, type OpenIngestion } from './open-ingestion.ts'

/** Entries of removed ingestions, beyond as many as there are ingestions, before they are dropped. */
const slack = 1024

export class OpenIngestions {
  private readonly byId = new Map<string, OpenIngestion>()
  /** By revision. Removed ingestions stay here for a while. */
  private order: NamedIngestion[] = []
  /** No ingestion below this place of the order is open. */
  private head = 0
  private readonly changed = new Set<string>()
  private readonly finished = new Set<string>()

  /** `committed`: ingestions as the last commit has them, in any order. */
  constructor(committed: readonly NamedIngestion[] = []) {
    this.order = committed.toSorted((a, b) => a.open.record.revision - b.open.record.revision)
    for (const { ingestion, open } of this.order) {
      this.byId.set(ingestion, open)
      if (!isOpen(open)) this.finished.add(ingestion)
    }
  }

  get size(): number {
    return this.byId.size
  }

  get(ingestion: string): OpenIngestion | undefined {
    return this.byId.get(ingestion)
  }

  has(ingestion: string): boolean {
    return this.byId.has(ingestion)
  }

  /** Yields all ingestions by revision, those with nothing left to do included. */
  *[Symbol.iterator](): Generator<[string, OpenIngestion]> {
    for (const entry of this.order) if (this.holds(entry)) yield [entry.ingestion, entry.open]
  }

  /**
   * Yields the ingestions with work left whose revision is higher than `revision`, oldest first. Do
   * not change the set meanwhile.
   */
  *openAfter(revision: number): Generator<NamedIngestion> {
    const { order } = this
    for (let at = Math.max(this.head, this.placeAfter(revision)); at < order.length; at++)
      if (this.isOpenAt(at)) yield order[at]!
  }

  /** Revision of the oldest ingestion with work left; Infinity when there is none. */
  get oldest(): number {
    while (this.head < this.order.length && !this.isOpenAt(this.head)) this.head++
    return this.order[this.head]?.open.record.revision ?? Infinity
  }

  /** Adds a new ingestion. They come by revision, but for a few after a recovery. */
  add(ingestion: string, open: OpenIngestion): void {
    const at = this.placeAfter(open.record.revision)
    this.order.splice(at, 0, { ingestion, open })
    this.head = Math.min(this.head, at)
    this.byId.set(ingestion, open)
    this.changed.add(ingestion)
  }

  /** Call this for each change of an ingestion: the next commit writes its record. */
  change(ingestion: string): void {
    this.changed.add(ingestion)
  }

  /** Forgets an ingestion: it was never committed, or its result is written. */
  drop(ingestion: string): void {
    this.byId.delete(ingestion)
    for (const set of [this.changed, this.finished]) set.delete(ingestion)
    if (this.order.length <= 2 * this.byId.size + slack) return
    this.order = this.order.filter((entry) => this.holds(entry))
    this.head = 0
  }

  /** Ingestions to write with the next commit. */
  *changes(): Generator<[string, OpenIngestion]> {
    for (const ingestion of this.changed) {
      const open = this.byId.get(ingestion)
      if (open !== undefined) yield [ingestion, open]
    }
  }

  /** Completed ingestions whose result is not written yet. */
  get unwritten(): string[] {
    return [...this.finished]
  }

  /** Takes over the records of a commit. */
  adopt(records: ReadonlyMap<string, IngestionRecord>): void {
    for (const [ingestion, open] of this.changes()) {
      Object.assign(open, {
        record: records.get(ingestion)!,
        failed: []
      } satisfies Partial<OpenIngestion>)
      if (!isOpen(open)) this.finished.add(ingestion)
    }
    this.changed.clear()
  }

  private holds({ ingestion, open }: NamedIngestion): boolean {
    return this.byId.get(ingestion) === open
  }

  private isOpenAt(place: number): boolean {
    const entry = this.order[place]!
    return isOpen(entry.open) && this.holds(entry)
  }

  /** Place of the first ingestion with a higher revision. */
  private placeAfter(revision: number): number {
    let low = 0
    let high = this.order.length
    if (high > 0 && this.order[high - 1]!.open.record.revision <= revision) return high
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.order[middle]!.open.record.revision <= revision) low = middle + 1
      else high = middle
    }
    return low
  }
}
