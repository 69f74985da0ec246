import type { IndexMetric, SegmentConfig } from './segment-config.ts'
import type { Tuning } from './tune-index.ts'

export interface IndexInput {
  config: SegmentConfig
  dim: number
  metric: IndexMetric
  /** Bytes that `train` made, for ivf, sq8 and pq. */
  quantizer?: { nlist: number; body: Uint8Array }
  /** Absent: the index is not tuned. */
  tuning?: Tuning | undefined
}
