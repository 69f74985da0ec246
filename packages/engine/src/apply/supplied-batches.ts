// Ingestions with supplied vectors. Their batches are in the store before their log entry, so one
// listing finds all of them. Items that are in none of these batches cannot be embedded, so they
// fail.
import { decodeItemList, type ItemListLine } from '@likeness/shared/contract/item-list'
import { parseBatchKey } from '@likeness/shared/contract/keys'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { isAppError } from '@likeness/shared/errors'
import { retryStore } from '@likeness/store/retry-store'
import type { FoundBatch } from '../log/batch-listing.ts'
import { readInlineLines } from '../log/inline-lines.ts'
import { isOpen, type NamedIngestion, type OpenIngestion } from '../log/open-ingestion.ts'
import type { OpenIngestions } from '../log/open-ingestions.ts'
import { listOpenBatches } from '../log/read-batches.ts'
import type { WorkSource } from '../log/read-log.ts'
import type { WriterState } from './writer-state.ts'

/** Ingestions listed at once, and in one step at most. */
const listsAtOnce = 16
const listsPerStep = 256

export class SuppliedBatches {
  private readonly source: WorkSource
  /** Batches that are listed and not taken yet, by ingestion. */
  private readonly left = new Map<string, Set<string>>()
  /** Ingestions whose listed batches are all taken. */
  private readonly ended = new Set<string>()
  /** Ingestions up to this revision are listed. */
  private listedTo = 0
  private isBehind = false

  constructor(source: WorkSource) {
    this.source = source
  }

  /** Whether there are ingestions to list. */
  get hasMore(): boolean {
    return this.isBehind
  }

  /** Lists the ingestions that are new here, and returns their batches in order. */
  async next(ingestions: OpenIngestions): Promise<FoundBatch[]> {
    const found: FoundBatch[] = []
    const list = async (one: NamedIngestion) => ({
      ingestion: one.ingestion,
      keys: await listOpenBatches(this.source, one, () => false)
    })
    for await (const { ingestion, keys } of mapInOrder(this.fresh(ingestions), listsAtOnce, list)) {
      for (const key of keys) found.push({ ingestion, key })
      this.left.set(ingestion, new Set(keys))
      if (keys.length === 0) this.ended.add(ingestion)
    }
    return found
  }

  private fresh(ingestions: OpenIngestions): NamedIngestion[] {
    const fresh: NamedIngestion[] = []
    this.isBehind = false
    for (const one of ingestions.openAfter(this.listedTo)) {
      this.isBehind = fresh.length === listsPerStep
      if (this.isBehind) break
      const { given, revision } = one.open.record
      this.listedTo = revision
      if (given === true) fresh.push(one)
    }
    return fresh
  }

  taken(key: string): void {
    const ingestion = parseBatchKey(key)?.ingestion ?? ''
    const left = this.left.get(ingestion)
    if (left?.delete(key) === true && left.size === 0) this.ended.add(ingestion)
  }

  forget(ingestion: string): void {
    this.left.delete(ingestion)
    this.ended.delete(ingestion)
  }

  /** Fails the open items of ingestions whose batches are all taken. */
  async endDamaged(state: WriterState): Promise<void> {
    for (const id of this.ended) {
      const open = state.ingestions.get(id)
      if (open !== undefined && isOpen(open)) {
        await this.failOpen(id, open)
        state.ingestions.change(id)
        state.dirty = true
      }
      this.forget(id)
    }
  }

  private async failOpen(id: string, { record, done, failed }: OpenIngestion): Promise<void> {
    for (let first = 0; first < record.total; first += record.partSize) {
      const size = Math.min(record.partSize, record.total - first)
      if (done.countWithin(first, size) === size) continue
      const lines =
        record.lineBytes === undefined
          ? await this.readPart(id, first)
          : await this.readInline(record.revision)
      for (let ordinal = first; ordinal < first + size; ordinal++) {
        if (!done.add(ordinal)) continue
        const line = lines.get(ordinal)
        const failure = line?.failure ?? {
          code: 'data_corrupt',
          message: 'its vectors are damaged or missing; send it again'
        }
        failed.push({ ordinal, id: line?.id ?? '', line: line?.line ?? null, ...failure })
        record.failed++
      }
    }
  }

  private async readInline(revision: number): Promise<Map<number, ItemListLine>> {
    const lines = (await readInlineLines(this.source, [revision])).get(revision) ?? []
    return new Map(lines.map((line) => [line.ordinal, line]))
  }

  /**
   * Returns the lines of a part by ordinal. If the part is damaged or gone, its items have no id:
   * the code that fails them must not fail.
   */
  private async readPart(id: string, first: number): Promise<Map<number, ItemListLine>> {
    const { store, clock, keys, signal } = this.source
    const key = keys.itemListPart(id, first)
    try {
      const stored = await retryStore(clock, () => store.get(key), signal)
      return new Map(
        stored === undefined
          ? []
          : decodeItemList(key, stored.body).map((line) => [line.ordinal, line])
      )
    } catch (error) {
      if (!isAppError(error, 'data_corrupt')) throw error
      return new Map()
    }
  }
}
