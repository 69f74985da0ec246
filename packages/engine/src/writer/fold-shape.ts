/** When a fold is due: one of these is reached since the last one. */
export interface FoldShape {
  batches: number
  batchBytes: number
  slots: number
  /** Milliseconds after which anything that was not folded makes a fold due. */
  afterMs: number
  /**
   * Bytes of item lines of small ingestions that are open, above which the log has to reach
   * `mostSlots` slots first.
   */
  lineBytes: number
  mostSlots: number
}
export const foldShape: FoldShape = {
  batches: 4096,
  batchBytes: 64 * 1024 * 1024,
  slots: 4096,
  afterMs: 86_400_000,
  lineBytes: 16 * 1024 * 1024,
  mostSlots: 100_000
}
