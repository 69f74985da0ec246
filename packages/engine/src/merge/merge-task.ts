// A merge as it is handed to whoever builds it, in this process or another: plain data, all of it from one committed version.
import type { CollectionSpec } from '@likeness/shared/contract/collection'
import type { Manifest, ManifestSegment } from '../version/manifest.ts'
import type { MergePlan } from './merge-plan.ts'

export interface MergeTask {
  spec: CollectionSpec
  /** The version that it reads: deletions and relabels since are carried over when its result is adopted. */
  seq: number
  plan: MergePlan
  inputs: ManifestSegment[]
  quantizer: Manifest['quantizer']
  /** New with every attempt, as what an earlier one wrote may still land: of the merged segment, and of a quantizer if one is trained. */
  segmentId: string
  quantizerId: string
}

export interface MergeResult {
  /** null: nothing was alive. Its rows behind those of items are tombstones. */
  segment: ManifestSegment | null
  /** null: none was trained. */
  quantizer: Manifest['quantizer']
}

export type BuildMerge = (task: MergeTask, signal?: AbortSignal) => Promise<MergeResult>
