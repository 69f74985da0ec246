// The results of the last few calls, by key. Calls that come at the same time share one result.
// After a failure the result is made again.
import { LRUCache } from 'lru-cache'

export class RecentResults<T> {
  private readonly results: LRUCache<string, Promise<T>>

  /** `capacity`: number of results that are kept. The least recently used one is removed first. */
  constructor(capacity: number) {
    this.results = new LRUCache({ max: capacity })
  }

  get(key: string, make: () => Promise<T>): Promise<T> {
    const known = this.results.get(key)
    if (known !== undefined) return known
    const made: Promise<T> = make().catch((error: unknown) => {
      if (this.results.peek(key) === made) this.results.delete(key)
      throw error
    })
    this.results.set(key, made)
    return made
  }
}
