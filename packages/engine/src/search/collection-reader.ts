// One committed version of a collection, open for reading. Immutable; a replica swaps to the next one while queries finish on this.
import { createHash } from 'node:crypto'
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Filter } from '@likeness/shared/contract/filter'
import { copyRows, isSparse, rowCount, rowsBetween, type VectorRows } from '@likeness/shared/contract/vector-rows'
import { appError } from '@likeness/shared/errors'
import type { Hit, SegmentSummary, Snapshot, SnapshotQuery, StoredItem } from '../contract.ts'
import { itemHash } from '../item/item-hash.ts'
import { findItem, rowsOf } from '../segment/item-table.ts'
import { storedForm } from '../vector-index/normalise-vectors.ts'
import type { Manifest } from '../version/manifest.ts'
import { type Grouping, searchGrouped, takeByGroup } from './group-search.ts'
import { type Candidate, type PartQuery, searchPart } from './segment-search.ts'
import { narrowPart, type Part, readItems } from './segment-view.ts'

/** Of a scroll: 2 MiB of vectors at 512-d. */
const rowsPerChunk = 1024
const payloadBytesPerChunk = 2 ** 22

export class OpenSnapshot implements Snapshot {
  readonly manifest: Manifest
  readonly parts: readonly Part[]
  private readonly onIdle: (snapshot: OpenSnapshot) => void
  private users = 1

  /** Owns one use of every part's segment; `onIdle` gives them back after the last release. */
  constructor(manifest: Manifest, parts: readonly Part[], onIdle: (snapshot: OpenSnapshot) => void) {
    this.manifest = manifest
    this.parts = parts
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
    return this.parts.map(({ ref: { id, index, storage, tuned = null, rows }, deleted }) => ({ id, index, storage, tuned, rows, deleted: deleted.count }))
  }

  awaits(before: number): boolean {
    return Object.values(this.manifest.ingestions).some(({ revision, completedSeq }) => completedSeq === null && revision < before)
  }

  async search({ vectors, filter, ...rest }: SnapshotQuery): Promise<Hit[][]> {
    const { dim, sparse = false } = this.spec.embedding
    if (isSparse(vectors) !== sparse) throw appError('invalid_vector', `the vectors of the collection are ${sparse ? 'sparse' : 'dense'}`)
    const count = rowCount(vectors, dim)
    if (!Number.isInteger(count)) throw appError('dimension_mismatch', `vectors of ${dim} values each do not make ${count} vectors`)
    const parts = filter === undefined ? this.parts : await this.narrow(filter)
    const compared = storedForm(this.spec, vectors)
    const queries = Array.from({ length: count }, (_, i) => rowsBetween(compared, dim, i, i + 1))
    return await Promise.all(queries.map((vector) => this.searchOne(parts, vector, rest)))
  }

  private async narrow(filter: Filter): Promise<Part[]> {
    const keyed = { filter, key: createHash('sha256').update(JSON.stringify(filter)).digest('base64') }
    return await Promise.all(this.parts.map((part) => narrowPart(part, keyed)))
  }

  private async searchOne(parts: readonly Part[], vector: VectorRows, { k, searchBudget, hammingRadius, scoreThres, groupBy, groupSize = 1 }: Omit<SnapshotQuery, 'vectors'>): Promise<Hit[]> {
    const { spec } = this
    const query = { vector, k, spec, budget: searchBudget ?? spec.settings.search_budget, radius: hammingRadius }
    const best = groupBy === undefined ? await bestOf(parts, query) : await bestGrouped(parts, query, { by: groupBy, size: groupSize })
    const threshold = scoreThres ?? spec.settings.score_thres ?? -Infinity
    return await Promise.all(best.filter(({ score }) => score >= threshold).map(readHit))
  }

  private locate(id: string): { part: Part; item: number } | undefined {
    const hash = itemHash(id)
    for (let i = this.parts.length - 1; i >= 0; i--) {
      const part = this.parts[i]!
      const { meta } = part.segment
      const item = findItem(meta, hash)
      if (item >= 0 && !part.deleted.has(meta.firstRow[item]!)) return { part, item }
    }
    return undefined
  }

  async getItem(id: string): Promise<StoredItem | undefined> {
    const place = this.locate(id)
    return place === undefined ? undefined : (await readItems(place.part, [place.item]))[0]
  }

  async getVectors(id: string): Promise<VectorRows | undefined> {
    const place = this.locate(id)
    if (place === undefined) return undefined
    const { segment } = place.part
    return await segment.readVectors(rowsOf(segment.meta, [place.item]))
  }

  async *scroll(): AsyncIterable<StoredItem> {
    for (const { part, items } of this.chunks()) yield* await readItems(part, items)
  }

  async *scrollVectors(): AsyncIterable<{ item: StoredItem; vectors: VectorRows }> {
    const { dim } = this.spec.embedding
    for (const { part, items } of this.chunks()) {
      const { segment } = part
      const [stored, vectors] = await Promise.all([readItems(part, items), segment.readVectors(rowsOf(segment.meta, items))])
      let row = 0
      for (const item of stored) {
        const first = row
        row += item.rows.length
        yield { item, vectors: copyRows(rowsBetween(vectors, dim, first, row)) }
      }
    }
  }

  private *chunks(): Iterable<{ part: Part; items: number[] }> {
    for (const part of this.parts) for (const items of chunksOf(part)) yield { part, items }
  }

  /** Nobody has it but whoever opened it. */
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

async function bestOf(parts: readonly Part[], query: PartQuery): Promise<Candidate[]> {
  return (await Promise.all(parts.map((part) => searchPart(part, query)))).flat().sort(byScore).slice(0, query.k)
}

async function bestGrouped(parts: readonly Part[], query: PartQuery, grouping: Grouping): Promise<Candidate[]> {
  return takeByGroup((await Promise.all(parts.map((part) => searchGrouped(part, query, grouping)))).flat().sort(byScore), query.k, grouping)
}

/** Live items of a segment in chunks that are read at once. */
function* chunksOf({ segment: { meta }, deleted }: Part): Iterable<number[]> {
  let items: number[] = []
  let rows = 0
  for (let item = 0; item < meta.items; item++) {
    const first = meta.firstRow[item]!
    if (deleted.has(first)) continue
    items.push(item)
    rows += meta.firstRow[item + 1]! - first
    if (rows < rowsPerChunk && meta.payloadOffset[item + 1]! - meta.payloadOffset[items[0]!]! < payloadBytesPerChunk) continue
    yield items
    items = []
    rows = 0
  }
  if (items.length > 0) yield items
}

/** Ties in a fixed order, so that the same version gives the same answer. */
function byScore(a: Candidate, b: Candidate): number {
  if (a.score !== b.score) return b.score - a.score
  const [idA, idB] = [a.part.segment.ref.id, b.part.segment.ref.id]
  return idA === idB ? a.item - b.item : idA < idB ? -1 : 1
}

async function readHit({ part, item, row, score, distance }: Candidate): Promise<Hit> {
  const [stored] = await readItems(part, [item])
  return { item: stored!, row, score, distance }
}
