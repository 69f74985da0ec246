// Reads one committed version of a collection. A reader is immutable: a replica swaps to the next
// one while queries finish on this one.
import { createHash } from 'node:crypto'
import type { Calibration } from '@likeness/shared/confidence/calibration'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Filter } from '@likeness/shared/contract/filter'
import {
  copyRows,
  isSparse,
  rowCount,
  rowsBetween,
  type VectorRows
} from '@likeness/shared/contract/vector-rows'
import { mapInOrder } from '@likeness/shared/data/concurrency'
import { appError } from '@likeness/shared/errors'
import { Turns } from '@likeness/shared/process/turns'
import type {
  Around,
  CollectionReader,
  FoundAround,
  Hit,
  ItemVectors,
  OperationResult,
  SearchQuery,
  SegmentSummary,
  StoredItem
} from '../contract.ts'
import { itemHash } from '../item/item-hash.ts'
import { findItem, rowsOf } from '../segment/item-table.ts'
import type { Manifest } from '../version/manifest.ts'
import { bestGrouped, bestOf } from './best-of.ts'
import { comparedQueries } from './compared-queries.ts'
import type { Grouping } from './group-search.ts'
import { countLabel } from './label-counts.ts'
import { readHits } from './read-hits.ts'
import { itemsInChunks, itemsSpread } from './scrolled-items.ts'
import type { Candidate, SegmentQuery } from './segment-search.ts'
import { filterView, readItems, type SegmentView } from './segment-view.ts'
import { itemsLooked, surroundingsOf } from './surroundings.ts'

/** Queries of one search that run at a time: enough for all cores. */
const queriesAtOnce = 16
export class OpenCollectionReader implements CollectionReader {
  readonly manifest: Manifest
  readonly views: readonly SegmentView[]
  readonly calibration: Calibration | null
  private readonly onIdle: (reader: OpenCollectionReader) => void
  private users = 1

  /**
   * Holds one use of the segment of every segment view. `onIdle` releases them after the last
   * release of the reader.
   */
  constructor(
    manifest: Manifest,
    views: readonly SegmentView[],
    calibration: Calibration | null,
    onIdle: (reader: OpenCollectionReader) => void
  ) {
    this.manifest = manifest
    this.views = views
    this.calibration = calibration
    this.onIdle = onIdle
  }

  get seq(): number {
    return this.manifest.seq
  }

  get appliedSlot(): number {
    return this.manifest.appliedSlot
  }

  get spec(): CollectionSpec {
    return this.manifest.spec
  }

  get counts(): { items: number; rows: number } {
    return this.manifest.counts
  }

  get segments(): SegmentSummary[] {
    return this.views.map(({ ref: { id, index, storage, tuned = null, rows }, deleted }) => ({
      id,
      index,
      storage,
      tuned,
      rows,
      deleted: deleted.count
    }))
  }

  awaits(before: number): boolean {
    const { oldest } = this.manifest.open
    return oldest !== null && oldest < before
  }

  resultOf(revision: number): OperationResult | undefined {
    return this.manifest.outcomes.find((result) => result.revision === revision)
  }

  async search(query: SearchQuery): Promise<Hit[][]> {
    const { scoreThres } = query
    const found = await this.findEach(query, (views, asked, grouping) =>
      grouping === undefined ? bestOf(views, asked) : bestGrouped(views, asked, grouping)
    )
    return await readHits(found.map((best) => this.above(best, scoreThres)))
  }

  async searchAround(query: SearchQuery, { except, within }: Around): Promise<FoundAround[]> {
    const { k, filter, groupBy, hammingRadius, scoreThres } = query
    const places = [...except].map((id) => this.locate(id))
    const left = {
      isLeftOut: ({ view, item }: Candidate) =>
        places.some((place) => place?.view === view && place.item === item),
      leftOut: except.size
    }
    const isOpen = filter === within && groupBy === undefined && hammingRadius === undefined
    const around = within === undefined ? this.views : await this.narrow(within)
    const found = await this.findEach(query, async (views, asked, grouping) => {
      const { radius: _radius, ...open } = asked
      const looked = { ...open, looked: itemsLooked }
      const all = await bestOf(around, looked)
      const narrow = () =>
        grouping === undefined ? bestOf(views, asked) : bestGrouped(views, asked, grouping)
      const best = isOpen ? all.slice(0, k) : await narrow()
      const { items } = this.counts
      return {
        best: this.above(best, scoreThres),
        around: await surroundingsOf(around, looked, { ...left, found: all, items })
      }
    })
    const hits = await readHits(found.map(({ best }) => best))
    return found.map(({ around }, i) => ({ hits: hits[i]!, around }))
  }

  async countLabel(label: string): Promise<number> {
    const counts = await Promise.all(this.views.map((view) => countLabel(view, label)))
    return counts.reduce((sum, count) => sum + count, 0)
  }

  /** Calls `find` for each query, in order. Throws when the vectors are not those of the collection. */
  private async findEach<T>(
    { vectors, weights, filter, ...rest }: SearchQuery,
    find: (views: readonly SegmentView[], asked: SegmentQuery, grouping?: Grouping) => Promise<T>
  ): Promise<T[]> {
    const { spec } = this
    const { dim, sparse = false } = spec.embedding
    if (isSparse(vectors) !== sparse)
      throw appError(
        'invalid_vector',
        `the vectors of the collection are ${sparse ? 'sparse' : 'dense'}`
      )
    const count = rowCount(vectors, dim)
    if (!Number.isInteger(count))
      throw appError(
        'dimension_mismatch',
        `vectors of ${dim} values each do not make ${count} vectors`
      )
    const queries = comparedQueries(spec, vectors, weights)
    const views = filter === undefined ? this.views : await this.narrow(filter)
    const { k, searchBudget, exact = false, hammingRadius, groupBy, groupSize = 1 } = rest
    const budget = searchBudget ?? spec.settings.search_budget
    const grouping = groupBy === undefined ? undefined : { by: groupBy, size: groupSize }
    const turns = new Turns()
    const found: T[] = []
    for await (const one of mapInOrder(queries, queriesAtOnce, (compared) =>
      find(views, { ...compared, k, spec, budget, exact, radius: hammingRadius }, grouping)
    )) {
      found.push(one)
      await turns.take()
    }
    return found
  }

  private async narrow(filter: Filter): Promise<SegmentView[]> {
    const keyed = {
      filter,
      key: createHash('sha256').update(JSON.stringify(filter)).digest('base64')
    }
    return await Promise.all(this.views.map((view) => filterView(view, keyed)))
  }

  private above(best: readonly Candidate[], scoreThres: number | undefined): Candidate[] {
    const threshold = scoreThres ?? this.spec.settings.score_thres ?? -Infinity
    return best.filter(({ score }) => score >= threshold)
  }

  private locate(id: string): { view: SegmentView; item: number } | undefined {
    const hash = itemHash(id)
    for (let i = this.views.length - 1; i >= 0; i--) {
      const view = this.views[i]!
      const { meta } = view.segment
      const item = findItem(meta, hash)
      if (item >= 0 && !view.deleted.has(meta.firstRow[item]!)) return { view, item }
    }
    return undefined
  }

  async getItem(id: string): Promise<StoredItem | undefined> {
    const place = this.locate(id)
    return place === undefined ? undefined : (await readItems(place.view, [place.item]))[0]
  }

  async getVectors(id: string): Promise<VectorRows | undefined> {
    const place = this.locate(id)
    if (place === undefined) return undefined
    const { segment } = place.view
    return await segment.readVectors(rowsOf(segment.meta, [place.item]))
  }

  async getRow(id: string, row: number): Promise<VectorRows | undefined> {
    const place = this.locate(id)
    if (place === undefined) return undefined
    const { segment } = place.view
    return await segment.readVectors(Int32Array.of(segment.meta.firstRow[place.item]! + row))
  }

  async *scroll(): AsyncIterable<StoredItem> {
    for (const { view, items } of itemsInChunks(this.views)) yield* await readItems(view, items)
  }

  async *scrollVectors({ most = Infinity }: { most?: number } = {}): AsyncIterable<ItemVectors> {
    const { dim } = this.spec.embedding
    const places =
      most < this.counts.items ? itemsSpread(this.views, most) : itemsInChunks(this.views)
    for (const { view, items } of places) {
      const { segment } = view
      const [stored, vectors] = await Promise.all([
        readItems(view, items),
        segment.readVectors(rowsOf(segment.meta, items))
      ])
      let row = 0
      for (const item of stored) {
        const first = row
        row += item.rows.length
        yield { item, vectors: copyRows(rowsBetween(vectors, dim, first, row)) }
      }
    }
  }

  /** Whether only the opener of the reader still uses it. */
  get isIdle(): boolean {
    return this.users === 1
  }

  retain(): this {
    this.users++
    return this
  }

  release(): void {
    if (--this.users === 0) this.onIdle(this)
  }
}
