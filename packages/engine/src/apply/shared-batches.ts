// Shared batches on their way into the state. Each is given out once. One with an ingestion whose log
// slot is not applied yet is kept back as a whole.
import type { FoundShared, SharedKnowledge } from '../log/shared-listing.ts'

export class SharedBatches implements SharedKnowledge {
  private readonly waiting = new Map<string, FoundShared>()
  /** Number of batches that wait, by ingestion, of those whose heads were read. */
  private readonly taking = new Map<string, number>()
  private unread = 0
  /** Batches that were found: they wait, are kept back, or have had their effect. */
  private readonly known = new Set<string>()
  /** Batches by the slot that must be applied before. */
  private readonly early = new Map<string, number>()

  get isEmpty(): boolean {
    return this.waiting.size === 0
  }

  /** Whether batches wait whose ingestions are not known. */
  get hasUnread(): boolean {
    return this.unread > 0
  }

  isTaking(ingestion: string): boolean {
    return this.taking.has(ingestion)
  }

  knows(key: string): boolean {
    return this.known.has(key)
  }

  passOver(key: string): void {
    this.known.add(key)
  }

  forgetUpTo(last: string): void {
    for (const key of this.known)
      if (key <= last && !this.waiting.has(key) && !this.early.has(key)) this.known.delete(key)
  }

  add(found: FoundShared): void {
    if (this.knows(found.key)) return
    this.known.add(found.key)
    this.wait(found)
  }

  next(): string | undefined {
    const [found] = this.waiting.values()
    if (found === undefined) return undefined
    this.waiting.delete(found.key)
    this.count(found, -1)
    return found.key
  }

  private wait(found: FoundShared): void {
    this.waiting.set(found.key, found)
    this.count(found, 1)
  }

  private count({ ingestions }: FoundShared, by: number): void {
    if (ingestions === undefined) this.unread += by
    for (const ingestion of ingestions ?? []) {
      const batches = (this.taking.get(ingestion) ?? 0) + by
      if (batches > 0) this.taking.set(ingestion, batches)
      else this.taking.delete(ingestion)
    }
  }

  keepBack(key: string, slot: number): void {
    this.early.set(key, slot)
  }

  /** Gives out the batches again whose slots are applied. */
  release(appliedSlot: number): void {
    for (const [key, slot] of this.early) {
      if (slot > appliedSlot) continue
      this.early.delete(key)
      this.wait({ key })
    }
  }
}
