// The messages between a writer and the merge process.
import type { MergeResult, MergeTask } from '@likeness/engine'

export interface ToMerger {
  task: MergeTask
}
export type FromMerger =
  | { kind: 'alive'; rssBytes: number }
  | { kind: 'merged'; result: MergeResult }
  | { kind: 'failed'; code: string; message: string }
