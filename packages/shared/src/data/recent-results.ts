// The results of the last few calls, by key. Calls that ask at the same time share one call; a
// failed call is made again.
import { LRUCache } from 'lru-cache'

export class RecentResults<T> {
  private readonly results: LRUCache<string, Promise<T>>

  /** `capacity`: number of results that are kept; the least recently used one goes first. */
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
