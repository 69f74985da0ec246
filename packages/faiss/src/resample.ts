// Pictures brought to another size, in native code: in JavaScript it took a tenth of an inference process. Not Faiss's business either.
import { addon } from './addon.ts'
import { requireArray } from './argument-checks.ts'
import { callAddonSync } from './faiss-error.ts'

/** Which samples of an axis make each target: target i is the sum over j of weights[from[i] + j] x source[first[i] + j], for from[i] + j < from[i + 1]. */
export interface Taps {
  /** [targets] */
  first: Int32Array
  /** [targets + 1] */
  from: Int32Array
  weights: Float32Array
}

/**
 * rgb: u8 [height, width, 3]. Writes three planes, 0..1: the pixel (x, y) of colour c is out[c x plane + y x stride + x].
 * Rows are mixed first. The same bits on every machine. Blocks for about a millisecond a megapixel. Throws invalid_argument.
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
