import type { IndexMetric, SegmentConfig } from './segment-config.ts'

export interface IndexInput {
  config: SegmentConfig
  dim: number
  metric: IndexMetric
  /** For ivf, sq8 and pq: the bytes that `train` made. */
  quantizer?: { nlist: number; body: Uint8Array }
  targetRecall?: number | undefined
}
