// What the engine offers to the apps. Implementations: catalog.ts, log-appender.ts, jobs.ts, committed.ts, replica.ts, collection-writer.ts.
import type {
  CollectionDraft,
  CollectionSettings,
  CollectionSpec,
  EmbeddingSpec
} from '@likeness/shared/contract/collection'
import type { Box } from '@likeness/shared/contract/embedder'
import type { Filter } from '@likeness/shared/contract/filter'
import type { ItemListLine, Metadata } from '@likeness/shared/contract/item-list'
import type { FailedItem, JobPointer } from '@likeness/shared/contract/job'
import type { Operation, RestoreOperation } from '@likeness/shared/contract/operation'
import type { rowKinds } from '@likeness/shared/contract/vector-batch'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { RawPlace } from './item/item-payload.ts'

export interface Catalog {
  /** The collection behind a name; collection_not_found. `fresh` reads the store, else at most 500 ms old, or what was read last when the catalogue is damaged (data_corrupt for all else). */
  resolve(name: string, options?: { fresh?: boolean }): Promise<CollectionSpec>
  /** Whether an incarnation is still behind a name; always fresh. */
  isLive(collectionId: string): Promise<boolean>
  list(options?: { fresh?: boolean }): Promise<CollectionSpec[]>
  /** Dropped incarnations whose objects are not yet all deleted. */
  dropped(): Promise<string[]>
  /** collection_exists when the name is taken, name_is_alias when by an alias. Durable when resolved. */
  create(draft: CollectionDraft): Promise<CollectionSpec>
  /** Creation in two steps, for what is to be there before the name is: all but the name. Refuses as `create` does. */
  prepare(draft: CollectionDraft): Promise<CollectionSpec>
  /** Safe to repeat. */
  publish(spec: CollectionSpec): Promise<void>
  /** By its own name: name_is_alias, collection_not_found. collection_has_aliases while any points at it. */
  /** `expected`: only this incarnation; one of the name that came after it stays, and it counts as dropped. */
  drop(name: string, options?: { expected?: string }): Promise<{ collectionId: string }>
  /** alias -> name of a collection; an alias resolves as the name does. */
  aliases(options?: { fresh?: boolean }): Promise<Record<string, string>>
  /**
   * Points an alias at a collection, from another one in one step. `expected`: what it points at until now, null for nothing; alias_moved
   * when that is not so. collection_not_found, name_is_alias; collection_exists when a collection has that name.
   */
  setAlias(alias: string, name: string, options?: { expected?: string | null }): Promise<void>
  /** alias_not_found when there is none; `expected` as for setAlias. */
  removeAlias(alias: string, options?: { expected?: string }): Promise<void>
  /** What a collection has by now, for those who ask for vectors before they read it; whether that was new. Nothing for one that is gone. */
  setEmbedding(collectionId: string, embedding: EmbeddingSpec): Promise<boolean>
  /** Removes an incarnation from `dropped` once its objects are gone. */
  forget(collectionId: string): Promise<void>
  /** The next resolve reads the store. */
  invalidate(): void
}

export interface AppendOptions {
  /** An earlier attempt at this very operation, by any process, may have landed after this slot, or land still: it is in the log once all the same. */
  afterSlot?: number
}
export interface LogAppender {
  /** Durable and ordered when resolved: any later append, by any process, gets a higher revision. */
  append(
    collectionId: string,
    operation: Operation,
    options?: AppendOptions
  ): Promise<{ revision: number; slot: number }>
  /** Where an operation is that an earlier attempt may have appended after a slot; undefined: not yet. */
  find(
    collectionId: string,
    opId: string,
    afterSlot: number
  ): Promise<{ revision: number; slot: number } | undefined>
  /** The newest slot now (0: none): an operation that is not appended yet will be in a later one. */
  tail(collectionId: string): Promise<number>
}

/** Writes item list parts; ordinals must be 0, 1, 2, ... Resolves when all parts are durable. */
export interface ItemListWriter {
  write(
    collectionId: string,
    ingestion: string,
    lines: AsyncIterable<ItemListLine> | Iterable<ItemListLine>
  ): Promise<{ total: number }>
}

export interface JobStatus extends JobPointer {
  state: 'queued' | 'running' | 'completed' | 'cancelled'
  counts: { total: number; pending: number; indexed: number; superseded: number; failed: number }
  /** What an embed-worker has to make of pictures that are pending; null when none are registered. */
  awaits: EmbeddingSpec | null
  seq: number | null
  finishedAtMs: number | null
}
export interface Jobs {
  /** Before the acknowledgement, after the log append. */
  record(pointer: JobPointer): Promise<void>
  /** job_not_found. Reads CURRENT: never older than the call. */
  status(id: string): Promise<JobStatus>
  /** By ordinal, at most `limit` after ordinal `after`. */
  failedItems(id: string, options?: { after?: number; limit?: number }): Promise<FailedItem[]>
  /** Newest first, of all collections or of one. */
  list(options?: { limit?: number; collection?: string }): Promise<JobStatus[]>
}

export interface SegmentSummary {
  id: string
  /** What it really is: flat, hnsw or ivf. */
  index: string
  storage: string
  /** What a search gives this segment when neither it nor the collection says a budget, and the recall that it was built with. Only with a target recall. */
  tuned: { budget: number; recall: number } | null
  rows: number
  deleted: number
}
export interface VersionSummary {
  seq: number
  settings: CollectionSettings
  embedding: EmbeddingSpec
  /** The last change of the embedding that was asked for. */
  reprojection: {
    revision: number
    embedding: EmbeddingSpec
    state: 'running' | 'applied' | 'raw_vectors_missing' | 'data_corrupt'
  } | null
  counts: { items: number; rows: number }
  segments: SegmentSummary[]
  /** Registered by the writer and not finished. */
  openIngestions: number
  snapshots: SnapshotSummary[]
  outcomes: OperationResult[]
}
export interface SnapshotSummary {
  name: string
  /** Of the operation that took it. */
  revision: number
  createdAtMs: number
  /** The version that it holds. */
  seq: number
  items: number
  rows: number
}
/** Of an operation that is answered with more than its commit; kept for a while. */
export interface OperationResult {
  revision: number
  seq?: number
  /** Why it had no effect. */
  error?:
    | 'snapshot_exists'
    | 'snapshot_not_found'
    | 'data_corrupt'
    | 'raw_vectors_missing'
    | 'profile_replaced'
  /** Deleted, or restored. */
  items?: number
}
export interface VersionReader {
  /** The committed version, read from the store without loading anything; undefined when the collection is gone. */
  read(collectionId: string): Promise<VersionSummary | undefined>
  /** What a restore of it has to say in the log; snapshot_not_found, collection_not_found. */
  findSnapshot(collectionId: string, name: string): Promise<RestoreOperation['snapshot']>
}

/** What a snapshot holds. */
export interface HeldVersion {
  /** The collection as it was. */
  spec: CollectionSpec
  counts: { items: number; rows: number }
  /** Every item with its full vectors, in no order. object_not_found when the snapshot was dropped meanwhile. */
  items(): AsyncIterable<{ item: Omit<StoredItem, 'revision'>; vectors: VectorRows }>
}
export interface SnapshotReader {
  /** snapshot_not_found, collection_not_found. */
  open(collectionId: string, name: string): Promise<HeldVersion>
}

export interface RowInfo {
  kind: (typeof rowKinds)[number]
  box: Box
  score: number
  className: string | null
}
export interface StoredItem {
  id: string
  label: string | null
  metadata: Metadata
  imageKey: string | null
  width: number
  height: number
  revision: number
  rows: RowInfo[]
  /** Where the raw vectors of its rows lie: raw-vectors.ts reads them. */
  raws?: RawPlace | undefined
}
export interface Hit {
  item: StoredItem
  /** Index into item.rows of the row that matched best. */
  row: number
  score: number
  distance: number
}
export interface SearchQuery {
  /** Unit length where the embedding says so; for hamming what is above the threshold is a 1. Sparse ones for sparse rows. */
  vectors: VectorRows
  /** Items (not rows) per query. */
  k: number
  searchBudget?: number
  /** With hamming: every item within so many bits, inclusive, and the best k of them. */
  hammingRadius?: number
  scoreThres?: number
  /** Only items that match. */
  filter?: Filter
  /** `label` or `metadata.KEY`: at most `groupSize` (1) items with the same value; an item without a value is a group of its own. */
  groupBy?: string
  groupSize?: number
}
export interface CollectionReader {
  readonly seq: number
  /** Log slot up to which every mutation is applied. */
  readonly appliedSlot: number
  readonly spec: CollectionSpec
  readonly counts: { items: number; rows: number }
  readonly segments: SegmentSummary[]
  /** Whether an ingestion accepted before a revision is not finished: what it brings is not here yet. */
  awaits(revision: number): boolean
  /**
   * Best first; one list per query vector; k hits whenever k items match, have room in their groups and pass the threshold.
   * Of sparse rows, only those that share an index with the query can be hits.
   */
  search(query: SearchQuery): Promise<Hit[][]>
  getItem(id: string): Promise<StoredItem | undefined>
  /** Of an item, for query by item: the full ones where re-scoring keeps them, else as they are searched. */
  getVectors(id: string): Promise<VectorRows | undefined>
  /** Every item, in no order; for checks and exports. */
  scroll(): AsyncIterable<StoredItem>
  /** Every item with its vectors (as getVectors has them), in no order; for exports. */
  scrollVectors(): AsyncIterable<{ item: StoredItem; vectors: VectorRows }>
  /** Must be called once; files stay until the last user released. */
  release(): void
}
export interface ReadOptions {
  consistency: 'strong' | 'bounded' | 'eventual'
  minSeq?: number
  /** Wait until this log slot is applied (a delete that answers after its commit). */
  minSlot?: number
  /** How long to wait for minSeq, minSlot or CURRENT; then not_fresh (409, retry-after) or replica_behind (503). */
  timeoutMs: number
}
export interface Replica {
  /** Loads the collection on first use. */
  acquire(collectionId: string, options: ReadOptions): Promise<CollectionReader>
  /** A hint that CURRENT moved. */
  notify(collectionId: string, seq: number): void
  /** Of loaded collections. `bytes`: what each holds in memory; pinned ones are never evicted. */
  status(): {
    collectionId: string
    seq: number
    rows: number
    behindMs: number
    alarm: string | null
    bytes: number
    pinned: boolean
  }[]
  close(): Promise<void>
}
