// The messages between a writer and the merge process.
import type { FoldResult, FoldTask, MergeResult, MergeTask } from '@likeness/engine'

export type ToMerger = { kind: 'merge'; task: MergeTask } | { kind: 'fold'; task: FoldTask }
export type Built = MergeResult | FoldResult
export type FromMerger =
  | { kind: 'alive'; rssBytes: number }
  | { kind: 'built'; result: Built }
  | { kind: 'failed'; code: string; message: string }
