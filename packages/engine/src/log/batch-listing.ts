// Lists the batches of open ingestions, for notifications that were lost. A listing goes on over
// several steps. Its cost depends on the batches that are there, not on the open ingestions: those
// without a batch cost nothing.
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { KeyPages, keysPerPage } from './key-pages.ts'
import type { OpenIngestions } from './open-ingestions.ts'
import { isOutstanding, listOpenBatches } from './read-batches.ts'
import type { WorkSource } from './read-log.ts'
import {
  type FoundShared,
  type OpenWork,
  type SharedKnowledge,
  sharedPages
} from './shared-listing.ts'

/** Up to this many open ingestions are listed one by one, each with its own prefix. */
const fewIngestions = 64
const listsAtOnce = 8
const headsAtOnce = 16

/** A batch of one ingestion. */
interface FoundOwn {
  ingestion: string
  key: string
}
/** A batch in the store that may have an effect. */
export type FoundBatch = FoundOwn | FoundShared
type IsKnown = (ingestion: string, key: string) => boolean

export class BatchListing {
  private readonly source: WorkSource
  private readonly isKnown: IsKnown
  private readonly shared: SharedKnowledge
  private isAsked = false
  private pages: AsyncGenerator<FoundBatch[]> | undefined

  /** `isKnown`: whether a batch need not be found again. */
  constructor(source: WorkSource, isKnown: IsKnown, shared: SharedKnowledge) {
    this.source = source
    this.isKnown = isKnown
    this.shared = shared
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
  async next(work: OpenWork, forMs: number): Promise<FoundBatch[]> {
    const { clock } = this.source
    const untilMs = clock.nowMs() + forMs
    const found: FoundBatch[] = []
    if (this.pages === undefined) {
      if (!this.isAsked) return found
      this.isAsked = false
      this.pages = this.list(work)
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

  private async *list(work: OpenWork): AsyncGenerator<FoundBatch[]> {
    const { ingestions } = work
    yield* sharedPages(this.source, work, this.shared)
    // Supplied batches are listed by supplied-batches.ts.
    const open = [...ingestions.openAfter(0)].filter(
      ({ open: { record } }) => record.given !== true && record.lineBytes === undefined
    )
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
      const page: FoundOwn[] = []
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

  private async outstanding(ingestions: OpenIngestions, found: FoundOwn[]): Promise<FoundBatch[]> {
    const outstanding: FoundBatch[] = []
    const look = async (batch: FoundOwn): Promise<FoundBatch | undefined> => {
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
