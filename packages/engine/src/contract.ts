// Interfaces of the engine for the apps; others are in catalog-contract.ts and
// snapshot-contract.ts. Implementations: log-appender.ts, item-list-writer.ts, jobs.ts,
// read-manifest.ts, collection-reader.ts, replica.ts.
import type { Calibration } from '@likeness/shared/confidence/calibration'
import type { Surroundings } from '@likeness/shared/confidence/evidence'
import type {
  CollectionSettings,
  CollectionSpec,
  EmbeddingSpec
} from '@likeness/shared/contract/collection'
import type { Box } from '@likeness/shared/contract/embedder'
import type { Weights } from '@likeness/shared/contract/embedding-parts'
import type { Filter } from '@likeness/shared/contract/filter'
import type { ItemListLine, Metadata } from '@likeness/shared/contract/item-list'
import type { FailedItem, JobCounts, JobPointer, JobState } from '@likeness/shared/contract/job'
import type { Operation, RestoreOperation } from '@likeness/shared/contract/operation'
import type { rowKinds } from '@likeness/shared/contract/vector-batch'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { ErrorCode } from '@likeness/shared/errors'
import type { RawPlace } from './item/item-payload.ts'

export interface AppendOptions {
  /**
   * Set this option when an earlier attempt may have been written after this slot. The appender
   * looks there first, so the operation is logged exactly once.
   */
  afterSlot?: number
}
export interface LogAppender {
  /**
   * Durable and ordered when resolved: each later append, by any process, gets a higher revision.
   */
  append(
    collectionId: string,
    operation: Operation,
    options?: AppendOptions
  ): Promise<{ revision: number; slot: number }>
  /**
   * Call this before anything of a new ingestion is stored. Throws backlog_full while too many wait to
   * be embedded.
   */
  admit(collectionId: string): Promise<void>
  /**
   * Finds an operation that an earlier attempt may have appended after a slot. Returns undefined
   * when the operation is not there yet.
   */
  find(
    collectionId: string,
    opId: string,
    afterSlot: number
  ): Promise<{ revision: number; slot: number } | undefined>
  /** Whether the log may hold what programs before 0.4 do not know: none of them can own it now. */
  isOfThisFormat(collectionId: string): Promise<boolean>
  /** Returns the newest slot (0: empty log), at the cost of a few reads. A later append gets a later slot. */
  tail(collectionId: string): Promise<number>
}

/**
 * Writes item list parts. Ordinals must be 0, 1, 2, ... Resolves when all parts are durable.
 * `mayInline`: a short list is returned for the log entry, and nothing is written.
 */
export interface ItemListWriter {
  write(
    collectionId: string,
    ingestion: string,
    lines: AsyncIterable<ItemListLine> | Iterable<ItemListLine>,
    options?: { partSize?: number; mayInline?: boolean }
  ): Promise<{ total: number; inline?: ItemListLine[] }>
}

export interface JobStatus extends JobPointer {
  id: string
  state: JobState
  counts: JobCounts
  /** Embedding that embed-workers must make for pending pictures; null without registered ones. */
  awaits: EmbeddingSpec | null
  seq: number | null
  finishedAtMs: number | null
  /** The result object is gone: the counts are not known. */
  resultLost?: true
}
export interface ListedJobs {
  jobs: JobStatus[]
  /** Revision before which the next page begins; null: there is none, or of all collections. */
  next: number | null
}
export interface Jobs {
  /**
   * Writes the pointer of a job whose id is its ingestion. Call this after the log append and before
   * the acknowledgement, while a program from before 0.4 may own the collection.
   */
  recordFormer(pointer: JobPointer): Promise<void>
  /** Throws job_not_found. Reads CURRENT, so the answer is never older than the call. */
  status(id: string): Promise<JobStatus>
  /** Returns failed items by ordinal, at most `limit` after ordinal `after`. */
  failedItems(id: string, options?: { after?: number; limit?: number }): Promise<FailedItem[]>
  /**
   * Returns jobs newest first: a page of those of one collection, or the newest of `collections`.
   * `before`: a revision.
   */
  list(options: {
    limit?: number
    collection?: { collectionId: string; name: string }
    collections?: readonly { collectionId: string }[]
    before?: number
    state?: JobStatus['state']
  }): Promise<ListedJobs>
}

export interface SegmentSummary {
  id: string
  /** Kind of the index that the segment really has: flat, hnsw or ivf. */
  index: string
  storage: string
  /** Budget of a search that sets none, and its recall at the build. Only with a target recall. */
  tuned: { budget: number; recall: number } | null
  rows: number
  deleted: number
}
export interface VersionSummary {
  seq: number
  settings: CollectionSettings
  embedding: EmbeddingSpec
  /** The last requested change of the embedding. */
  reprojection: {
    revision: number
    embedding: EmbeddingSpec
    state: 'running' | 'applied' | 'raw_vectors_missing' | 'data_corrupt'
  } | null
  counts: { items: number; rows: number }
  segments: SegmentSummary[]
  /** Ingestions that the writer has registered and that are not finished. */
  openIngestions: number
  snapshots: SnapshotSummary[]
  outcomes: OperationResult[]
  /** null: none was learned, or it is damaged. */
  calibration: Calibration | null
}
export interface SnapshotSummary {
  name: string
  /** Revision of the operation that took the snapshot. */
  revision: number
  createdAtMs: number
  /** Version that the snapshot holds. */
  seq: number
  items: number
  rows: number
}
/** Kept for some time after its commit. */
export interface OperationResult {
  revision: number
  seq?: number
  /** Reason why the operation had no effect. */
  error?: ErrorCode
  /** Deleted or restored items. */
  items?: number
  /** Older ingestions were open then. */
  awaits?: true
}
export interface VersionReader {
  /** Reads the committed version without loading its files. undefined: the collection is gone. */
  read(collectionId: string): Promise<VersionSummary | undefined>
  /** Returns the log data of a restore. Throws snapshot_not_found or collection_not_found. */
  findSnapshot(collectionId: string, name: string): Promise<RestoreOperation['snapshot']>
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
  /** Place of the raw vectors of the item's rows. raw-vectors.ts reads them. */
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
  /**
   * Unit length where the embedding requires that, and in stored form where it has parts. For
   * hamming each value above the threshold is a 1. Sparse vectors for sparse rows.
   */
  vectors: VectorRows
  /** Weights of parts, over those of the collection (search-weights.ts of the contract). */
  weights?: Weights
  /** Number of items (not rows) per query. */
  k: number
  searchBudget?: number
  /** Every live row is compared, as it is stored, whatever the budget. */
  exact?: boolean
  /** With hamming: the best k items among all within this many bits, inclusive. */
  hammingRadius?: number
  scoreThres?: number
  /** Limits the answer to items that match. */
  filter?: Filter
  /**
   * `label` or `metadata.KEY`: at most `groupSize` (default 1) items with the same value. An item
   * without a value is a group of its own.
   */
  groupBy?: string
  groupSize?: number
}
export interface Around {
  /** Ids of items that are no part of what lies near. */
  except: ReadonlySet<string>
  /** Limits what lies near. The very filter of the query: both come from one search. */
  within?: Filter | undefined
}
export type FoundAround = { hits: Hit[]; around: Surroundings }
export type ItemVectors = { item: StoredItem; vectors: VectorRows }
export interface CollectionReader {
  readonly seq: number
  /** Learned from the items of an earlier version, or null. */
  readonly calibration: Calibration | null
  /** Log slot up to which every mutation is applied. */
  readonly appliedSlot: number
  readonly spec: CollectionSpec
  readonly counts: { items: number; rows: number }
  readonly segments: SegmentSummary[]
  /** Whether an ingestion accepted before a revision is unfinished: items may be missing. */
  awaits(revision: number): boolean
  /** Returns the result of an operation of the last half minute. */
  resultOf(revision: number): OperationResult | undefined
  /**
   * Returns one list per query vector, best first. Each list has k hits whenever k items match,
   * have room in their groups and pass the threshold. For sparse rows only items that share an
   * index with the query can be hits.
   */
  search(query: SearchQuery): Promise<Hit[][]>
  /**
   * Does the same, and tells what lies near each query, whatever filter, groups and radius it has.
   * Without them one search gives both, but where one label fills it.
   */
  searchAround(query: SearchQuery, around: Around): Promise<FoundAround[]>
  /** Number of items with the label. */
  countLabel(label: string): Promise<number>
  getItem(id: string): Promise<StoredItem | undefined>
  /** Returns the vectors of an item: the full ones where re-scoring keeps them, else the searched. */
  getVectors(id: string): Promise<VectorRows | undefined>
  /** Returns a single row of the vectors of an item. */
  getRow(id: string, row: number): Promise<VectorRows | undefined>
  /** Yields every item, in no order. For checks and exports. */
  scroll(): AsyncIterable<StoredItem>
  /** Yields every item with its vectors, in no order; `most`: at most so many, evenly spread. */
  scrollVectors(options?: { most?: number }): AsyncIterable<ItemVectors>
  /** Must be called once. Files stay until the last user has released them. */
  release(): void
}
export interface ReadOptions {
  consistency: 'strong' | 'bounded' | 'eventual'
  minSeq?: number
  /** Wait until this log slot is applied (for a delete that answers after its commit). */
  minSlot?: number
  /**
   * Wait for minSeq, minSlot or CURRENT. Then not_fresh (409, retry-after), replica_behind (503).
   */
  timeoutMs: number
}
export type ListedCollection = Pick<CollectionSpec, 'collectionId' | 'settings'>
export interface Replica {
  /** Returns a reader. Loads the collection on first use. */
  acquire(collectionId: string, options: ReadOptions): Promise<CollectionReader>
  /** Notification that CURRENT moved. */
  notify(collectionId: string, seq: number): void
  /** Looks for a new version of the loaded collections now: of one with this name, or of all. */
  check(name?: string): void
  /**
   * Loads the pinned collections and those that were used last by the process before this one, as
   * far as the memory goes. Resolves when each of them is loaded or cannot be. Waits for a store that
   * is away. `listed`: all collections that there are.
   */
  warm(listed: readonly ListedCollection[]): Promise<void>
  /** Collections that `warm` has not done yet. */
  warming(): string[]
  /** State of loaded collections. `bytes`: memory of each. Pinned ones are never evicted. */
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
