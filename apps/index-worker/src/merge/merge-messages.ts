// The messages between a writer and the merge process.
import type {
  BuildCalibration,
  CalibrationTask,
  FoldResult,
  FoldTask,
  MergeResult,
  MergeTask
} from '@likeness/engine'

export type ToMerger =
  | { kind: 'merge'; task: MergeTask }
  | { kind: 'fold'; task: FoldTask }
  | { kind: 'calibration'; task: CalibrationTask }
export type Calibrated = Awaited<ReturnType<BuildCalibration>>
export type Built = MergeResult | FoldResult | Calibrated
export type FromMerger =
  | { kind: 'alive'; rssBytes: number }
  | { kind: 'built'; result: Built }
  | { kind: 'failed'; code: string; message: string }
