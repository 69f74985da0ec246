// Shared batches on their way into the state. Each is given out once. One with an ingestion whose log
// slot is not applied yet is kept back as a whole.
import type { SharedKnowledge } from '../log/shared-listing.ts'

export class SharedBatches implements SharedKnowledge {
  private waiting: string[] = []
  /** Batches that were found: they wait, are kept back, or have had their effect. */
  private readonly known = new Set<string>()
  /** Batches by the slot that must be applied before. */
  private readonly early = new Map<string, number>()

  get isEmpty(): boolean {
    return this.waiting.length === 0
  }

  knows(key: string): boolean {
    return this.known.has(key)
  }

  passOver(key: string): void {
    this.known.add(key)
  }

  forgetUpTo(last: string): void {
    const kept = new Set(this.waiting)
    for (const key of this.known)
      if (key <= last && !kept.has(key) && !this.early.has(key)) this.known.delete(key)
  }

  add(key: string): void {
    if (this.knows(key)) return
    this.known.add(key)
    this.waiting.push(key)
  }

  next(): string | undefined {
    return this.waiting.shift()
  }

  keepBack(key: string, slot: number): void {
    this.early.set(key, slot)
  }

  /** Gives out the batches again whose slots are applied. */
  release(appliedSlot: number): void {
    for (const [key, slot] of this.early) {
      if (slot > appliedSlot) continue
      this.early.delete(key)
      this.waiting.push(key)
    }
  }
}
