// Pages of keys under a prefix. One listing goes on from page to page, until a leap or a failure.
import { retryStore } from '@likeness/store/retry-store'
import type { WorkSource } from './read-log.ts'

/** A page of S3. */
export const keysPerPage = 1_000

export class KeyPages {
  private readonly source: WorkSource
  private readonly prefix: string
  private after: string
  private listed: AsyncIterator<{ key: string }> | undefined

  constructor(source: WorkSource, prefix: string, after: string) {
    this.source = source
    this.prefix = prefix
    this.after = after
  }

  leap(after: string): void {
    if (after <= this.after) return
    this.after = after
    this.listed = undefined
  }

  async next(): Promise<string[]> {
    const { store, clock, signal } = this.source
    const page: string[] = []
    const read = async (): Promise<void> => {
      this.listed ??= store.list(this.prefix, { startAfter: this.after })[Symbol.asyncIterator]()
      while (page.length < keysPerPage) {
        const next = await this.listed.next()
        if (next.done === true) return
        page.push((this.after = next.value.key))
      }
    }
    const begunAgain = async (): Promise<void> => {
      try {
        await read()
      } catch (error) {
        this.listed = undefined
        throw error
      }
    }
    await retryStore(clock, begunAgain, signal)
    return page
  }
}
