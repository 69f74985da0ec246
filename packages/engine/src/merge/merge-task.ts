// A merge as plain data for the process that builds it. All data comes from one committed version.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Manifest, ManifestSegment } from '../version/manifest.ts'
import type { MergePlan } from './merge-plan.ts'

export interface MergeTask {
  spec: CollectionSpec
  /**
   * Version that the merge reads. Later deletions and payload updates are carried over when the
   * result is adopted.
   */
  seq: number
  plan: MergePlan
  inputs: ManifestSegment[]
  quantizer: Manifest['quantizer']
  /**
   * Ids of the merged segment, and of a quantizer if the merge trains one. New with every attempt,
   * because writes of an earlier attempt may still land.
   */
  segmentId: string
  quantizerId: string
}

export interface MergeResult {
  /** null: all rows were deleted. Rows behind the rows of items are tombstones. */
  segment: ManifestSegment | null
  /** null: no quantizer was trained. */
  quantizer: Manifest['quantizer']
}

export type BuildMerge = (task: MergeTask, signal?: AbortSignal) => Promise<MergeResult>
