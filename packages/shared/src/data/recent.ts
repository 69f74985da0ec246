// The results of the last few calls, by key. Calls that come at the same time share one result.
// After a failure the result is made again.

export class Recent<T> {
  private readonly capacity: number
  /** Least recently used first. */
  private readonly entries = new Map<string, Promise<T>>()

  constructor(capacity: number) {
    this.capacity = capacity
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const entry = this.entries.get(key) ?? this.start(key, make)
    this.entries.delete(key)
    this.entries.set(key, entry)
    if (this.entries.size > this.capacity) this.entries.delete(this.entries.keys().next().value!)
    return entry
  }

  private start(key: string, make: () => Promise<T>): Promise<T> {
    const entry: Promise<T> = make().catch((error: unknown) => {
      if (this.entries.get(key) === entry) this.entries.delete(key)
      throw error
    })
    return entry
  }
}
