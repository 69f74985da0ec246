// Interface of the engine for the content of a snapshot. Implementation: snapshot-reader.ts.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { VectorRows } from '@likeness/shared/contract/vector-rows'
import type { StoredItem } from './contract.ts'

/** Content of a snapshot. */
export interface HeldVersion {
  /** Spec of the collection at the time of the snapshot. */
  spec: CollectionSpec
  counts: { items: number; rows: number }
  /** Yields every item with full vectors, unordered. Throws object_not_found after a drop. */
  items(): AsyncIterable<{ item: Omit<StoredItem, 'revision'>; vectors: VectorRows }>
}
export interface SnapshotReader {
  /** Throws snapshot_not_found or collection_not_found. */
  open(collectionId: string, name: string): Promise<HeldVersion>
}
