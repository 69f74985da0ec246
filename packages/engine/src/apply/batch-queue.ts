// Batches that wait to be taken in. Each is given out once. Ingestions take turns, so a small upload
// does not wait behind all batches of an import.

export class BatchQueue {
  /** Keys that wait, by ingestion. */
  private readonly waiting = new Map<string, string[]>()
  /** Keys that wait or were given out, by ingestion. */
  private readonly known = new Map<string, Set<string>>()
  private turn = this.waiting.entries()

  get isEmpty(): boolean {
    return this.waiting.size === 0
  }

  /** Whether batches of the ingestion wait. */
  hasSome(ingestion: string): boolean {
    return this.waiting.has(ingestion)
  }

  knows(ingestion: string, key: string): boolean {
    return this.known.get(ingestion)?.has(key) === true
  }

  add(ingestion: string, key: string): void {
    if (this.knows(ingestion, key)) return
    const waiting = this.waiting.get(ingestion)
    if (waiting === undefined) this.waiting.set(ingestion, [key])
    else waiting.push(key)
    const known = this.known.get(ingestion)
    if (known === undefined) this.known.set(ingestion, new Set([key]))
    else known.add(key)
  }

  /** Gives out the next key: one of each ingestion, then the next one of each. */
  next(): { ingestion: string; key: string } | undefined {
    if (this.waiting.size === 0) return undefined
    let turn = this.turn.next()
    while (turn.done === true) {
      this.turn = this.waiting.entries()
      turn = this.turn.next()
    }
    const [ingestion, keys] = turn.value
    const key = keys.shift()!
    if (keys.length === 0) this.waiting.delete(ingestion)
    return { ingestion, key }
  }

  /** Call this when an ingestion is over. */
  forget(ingestion: string): void {
    this.waiting.delete(ingestion)
    this.known.delete(ingestion)
  }
}
