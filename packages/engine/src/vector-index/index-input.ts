import type { IndexMetric, SegmentForm } from './segment-config.ts'


export interface IndexInput {
  form: SegmentForm
  dim: number
  metric: IndexMetric
  /** For ivf, sq8 and pq: as `train` made it. */
  quantizer?: { nlist: number; body: Uint8Array} 
  targetRecall?: number|undefined
}
