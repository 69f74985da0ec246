// Resizes pictures in native code; in JavaScript this took a tenth of an inference process. This is
// unrelated to Faiss.
import { addon } from './addon.ts'
import { requireArray } from './argument-checks.ts'
import { callAddonSync } from './faiss-error.ts'

/**
 * Samples of an axis that make each target. Target i is the sum over j of weights[from[i] + j] x
 * source[first[i] + j], for from[i] + j < from[i + 1].
 */
export interface Taps {
  /** [targets] */
  first: Int32Array
  /** [targets + 1] */
  from: Int32Array
  weights: Float32Array
}

/**
 * Resizes rgb, u8 [height, width, 3], and writes three planes, 0..1: the pixel (x, y) of colour c
 * is out[c x plane + y x stride + x]. Rows are mixed first. The result has the same bits on every
 * machine. Blocks for about a millisecond per megapixel. Throws invalid_argument.
 */
export function resample(
  { rgb, width }: { rgb: Uint8Array; width: number },
  rows: Taps,
  columns: Taps,
  { out, stride, plane }: { out: Float32Array; stride: number; plane: number }
): void {
  requireArray('rgb', rgb, Uint8Array)
  requireArray('out', out, Float32Array)
  callAddonSync(() =>
    addon.resample(
      rgb,
      width,
      rows.first,
      rows.from,
      rows.weights,
      columns.first,
      columns.from,
      columns.weights,
      out,
      stride,
      plane
    )
  )
}
