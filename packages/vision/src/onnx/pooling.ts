// The pooling of a box of a feature map into numbers. Graph and oracle both use these values.
import type { PooledMap } from './pooled-map.ts'

/**
 * y = RoiAlign(avg, grid x grid, samples / grid a side of a cell, half_pixel, (relu(x) +
 * epsilon)^power)^(1/power), then unit length per map, times the map's weight. Of a map with the
 * pool `mean` x itself is averaged.
 */
export const pooling = {
  /** Sample points along a side of the box, for every grid. */
  samples: 6,
  power: 3,
  epsilon: 0.001
} as const

/** Cells per side that a box can be divided into. */
export const grids = [1, 3] as const

/**
 * Strides of the backbone's maps, finest first; 3x3 each. Raw vectors begin with them, unless the
 * metadata leaves them out. Declared maps follow.
 */
export const backboneStrides = [8, 16] as const
export const backboneGrid = 3

const backboneText =
  'y = RoiAlign(avg, 3x3, sampling_ratio 2, half_pixel, (relu(x) + 0.001)^3)^(1/3), flattened channel-major [C,3,3], each map L2-normalised, then concatenated: stride 8 first'
const declaredText =
  'y = RoiAlign(avg, grid x grid, 6 / grid samples a side of a cell, half_pixel, (relu(x) + 0.001)^3)^(1/3), flattened channel-major [C, grid, grid], each map L2-normalised and times its weight where it has one, then concatenated in the order of maps'
const meanText = `${declaredText}; of a map with the pool mean, y = RoiAlign(avg, ..., x)`

/**
 * Wording of this pooling in a manifest with these maps. Any other wording is refused, never
 * guessed.
 */
export function poolingTextOf(maps: readonly PooledMap[]): string {
  if (maps.some(({ pool }) => pool === 'mean')) return meanText
  const areOfBackbone =
    maps.length === backboneStrides.length &&
    maps.every(
      ({ stride, grid, weight }, i) =>
        stride === backboneStrides[i] && grid === backboneGrid && weight === undefined
    )
  return areOfBackbone ? backboneText : declaredText
}
