// Lists the batches of open ingestions, for notifications that were lost. A listing goes on over
// several steps. Its cost depends on the batches that are there, not on the open ingestions: those
// without a batch cost nothing.
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { retryStore } from '@likeness/store/retry-store'
import type { OpenIngestions } from './open-ingestions.ts'
import { isOutstanding, listOpenBatches } from './read-batches.ts'
import type { WorkSource } from './read-log.ts'

/** Up to this many open ingestions are listed one by one, each with its own prefix. */
const fewIngestions = 64
const listsAtOnce = 8
/** A page of S3. */
const keysPerPage = 1_000
const headsAtOnce = 16

/** A batch in the store that may have an effect. */
export interface FoundBatch {
  ingestion: string
  key: string
}
type IsKnown = (ingestion: string, key: string) => boolean

export class BatchListing {
  private readonly source: WorkSource
  private readonly isKnown: IsKnown
  private isAsked = false
  private pages: AsyncGenerator<FoundBatch[]> | undefined

  /** `isKnown`: whether a batch need not be found again. */
  constructor(source: WorkSource, isKnown: IsKnown) {
    this.source = source
    this.isKnown = isKnown
  }

  get hasMore(): boolean {
    return this.isAsked || this.pages !== undefined
  }

  /** Asks for a whole listing. Returns false while one is running: it goes on instead. */
  ask(): boolean {
    this.isAsked = this.pages === undefined
    return this.isAsked
  }

  /** Goes on with the listing for some time and returns what it found. */
  async next(ingestions: OpenIngestions, forMs: number): Promise<FoundBatch[]> {
    const { clock } = this.source
    const untilMs = clock.nowMs() + forMs
    const found: FoundBatch[] = []
    if (this.pages === undefined) {
      if (!this.isAsked) return found
      this.isAsked = false
      this.pages = this.list(ingestions)
    }
    do {
      const page = await this.pages.next()
      if (page.done === true) {
        this.pages = undefined
        return found
      }
      for (const batch of page.value) found.push(batch)
    } while (clock.nowMs() < untilMs)
    return found
  }

  private async *list(ingestions: OpenIngestions): AsyncGenerator<FoundBatch[]> {
    // Supplied batches are listed by supplied-batches.ts.
    const open = [...ingestions.openAfter(0)].filter(({ open: { record } }) => !record.given)
    if (open.length > fewIngestions) {
      yield* this.listRange(ingestions, open.map(({ ingestion }) => ingestion).sort())
      return
    }
    yield* mapInOrder(open, listsAtOnce, async (one) => {
      const keys = await listOpenBatches(this.source, one, this.isKnown)
      return keys.map((key) => ({ ingestion: one.ingestion, key }))
    })
  }

  /**
   * Walks over the batches from the first of these ids to the last one. Ids of closed ingestions
   * lie between them. A page without an open one ends in a leap to the next open id.
   */
  private async *listRange(
    ingestions: OpenIngestions,
    ids: readonly string[]
  ): AsyncGenerator<FoundBatch[]> {
    const { batchesPrefix } = this.source.keys
    const last = ids.at(-1)!
    const pages = new KeyPages(this.source, batchesPrefix, `${batchesPrefix}${ids[0]!}`)
    for (;;) {
      const keys = await pages.next()
      const page: FoundBatch[] = []
      let isOfOpen = false
      for (const key of keys) {
        const ingestion = parseBatchKey(key)?.ingestion
        const open = ingestion === undefined ? undefined : ingestions.get(ingestion)
        if (ingestion === undefined || open === undefined || open.record.given === true) continue
        isOfOpen = true
        if (!this.isKnown(ingestion, key)) page.push({ ingestion, key })
      }
      yield await this.outstanding(ingestions, page)
      const end = keys.at(-1)
      if (keys.length < keysPerPage || end === undefined) return
      const reached = end.slice(batchesPrefix.length, batchesPrefix.length + last.length)
      if (reached > last) return
      if (!isOfOpen) pages.leap(`${batchesPrefix}${ids[firstAfter(ids, reached)] ?? '~'}`)
    }
  }

  private async outstanding(
    ingestions: OpenIngestions,
    found: FoundBatch[]
  ): Promise<FoundBatch[]> {
    const outstanding: FoundBatch[] = []
    const look = async (batch: FoundBatch): Promise<FoundBatch | undefined> => {
      const open = ingestions.get(batch.ingestion)
      return open && (await isOutstanding(this.source, open, batch.key)) ? batch : undefined
    }
    for await (const batch of mapInOrder(found, headsAtOnce, look))
      if (batch !== undefined) outstanding.push(batch)
    return outstanding
  }
}

/** Place of the first id that is greater. */
function firstAfter(ids: readonly string[], id: string): number {
  let low = 0
  let high = ids.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (ids[middle]! <= id) low = middle + 1
    else high = middle
  }
  return low
}

/** Pages of keys under a prefix. One listing goes on from page to page, until a leap or a failure. */
class KeyPages {
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
