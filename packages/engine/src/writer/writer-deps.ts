// Dependencies of a collection's writer.
import type { CollectionKeys } from '@likeness/shared/contract/keys'
import type { Clock } from '@likeness/shared/process/clock'
import type { Logger } from '@likeness/shared/process/logger'
import type { ObjectStore } from '@likeness/store/object-store'
import type { StepBounds } from '../apply/step-bounds.ts'
import type { BuildCalibration } from '../calibration/build-calibration.ts'
import type { BuildFold } from '../history/fold.ts'
import type { Project } from '../log/embedded-batch.ts'
import type { MergeShape } from '../merge/merge-plan.ts'
import { buildMerge } from '../merge/merge-build.ts'
import type { BuildMerge, MergeTask } from '../merge/merge-task.ts'
import type { MergingDeps } from '../merge/merge.ts'
import type { SegmentFiles } from '../segment/segment-files.ts'
import type { StateShape } from '../state/write-state.ts'
import type { ProtocolContext } from '../version/commit-protocol.ts'
import type { FoldShape } from './fold-shape.ts'
import type { Protocol } from './protocol.ts'

/** Graphs of millions of rows take hours. */
const defaultMergeLimitMs = 12 * 3_600_000
const defaultMergeMemoryBytes = 4 * 2 ** 30

export interface WriterDeps {
  store: ObjectStore
  clock: Clock
  files: SegmentFiles
  logger: Logger
  collectionId: string
  retentionMs: number
  /** Age at which objects of ingestions that were never accepted are deleted. Absent: they stay. */
  uploadRetentionMs?: number
  /** Called after a commit is certain. */
  announce: (commit: { collectionId: string; seq: number; appliedSlot: number }) => void
  /**
   * Time until which a program from before 0.4 may still be running. Until then its collections are
   * left to it: it takes what it cannot read for damage. Absent: that time is over.
   */
  formerProgramsUntilMs?: number
  /** Time for which the record of an ended job is kept. Absent: for ever. */
  jobRetentionMs?: number
  /**
   * Asked before the arrivals of a former program are numbered, which makes the collection again.
   * Returns what to call at the end; null: later, as others are under way. Absent: at any time.
   */
  mayNumber?: () => (() => void) | null
  protocol?: Protocol
  newId?: () => string
  signal?: AbortSignal
  /** Makes the vectors of another embedding. */
  project?: Project
  /** Builds merges, for example in another process. Default: in this one. */
  buildMerge?: BuildMerge
  /** Memory of one merge. Default 4 GiB. */
  mergeMemoryBytes?: number
  mergeShape?: Partial<MergeShape>
  stepBounds?: Partial<StepBounds>
  mergeLimitMs?: number
  stateShape?: Partial<StateShape>
  /** Folds a version, for example in another process. Default: in this one. */
  buildFold?: BuildFold
  /** Learns calibrations, for example in another process. Absent: none is learned. */
  buildCalibration?: BuildCalibration
  /** When a fold is due. */
  foldShape?: Partial<FoldShape>
  /** Bytes of arrivals after which a pack ends. Default 64 MiB. */
  packBytes?: number
  /**
   * Time for which it is known which operations the log had, once their slots are deleted. Longer
   * than any retry may come later. Absent: for ever.
   */
  operationRetentionMs?: number
  /** Rows of a segment that a rebuild or a reindex writes. Default 20 000. */
  rowsPerSegment?: number
}

export interface BoundWriterDeps extends Omit<WriterDeps, 'newId' | 'protocol'> {
  newId: () => string
  keys: CollectionKeys
  protocol: Protocol
  context: ProtocolContext
}

export const mergingDeps = ({
  clock,
  mergeShape: shape,
  mergeLimitMs: limitMs = defaultMergeLimitMs,
  mergeMemoryBytes: memoryBytes = defaultMergeMemoryBytes
}: WriterDeps): Omit<MergingDeps, 'newId'> => ({
  nowMs: () => clock.nowMs(),
  memoryBytes,
  shape,
  limitMs
})

/** `files`: those of the writer, whose reads may be fenced. */
export const replayDeps = (deps: BoundWriterDeps, files: SegmentFiles) => ({
  ...deps,
  files,
  merging: mergingDeps(deps),
  buildMerge: deps.buildMerge ?? ((task: MergeTask) => buildMerge(files, task))
})
