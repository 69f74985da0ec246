// RoI pooling of a box of a map, in plain TypeScript.
import type { MapPool } from '../onnx/pooled-map.ts'
import { pooling } from '../onnx/pooling.ts'
import type { Box } from '../picture/letterbox.ts'

export interface FeatureMap {
  /** f32 [channels, height, width]. */
  data: Float32Array
  channels: number
  height: number
  width: number
  /** Canvas pixels per cell. */
  stride: number
  /** Cells per side that a box is divided into. */
  grid: number
  /** Length of the pooled vector, 1 by default. */
  weight?: number | undefined
  /** `gem` by default. */
  pool?: MapPool | undefined
}

/**
 * Channel-major [channels * grid * grid], with the map's weight as length. `box` in canvas pixels.
 */
export function poolBox(map: FeatureMap, box: Box): number[] {
  const { samples, power, epsilon } = pooling
  const { grid } = map
  const isMean = map.pool === 'mean'
  const perCell = samples / grid
  const [x1, y1, x2, y2] = box.map((v) => v / map.stride - 0.5) as [number, number, number, number]
  const values: number[] = []
  for (let channel = 0; channel < map.channels; channel++) {
    const plane = map.data.subarray(
      channel * map.height * map.width,
      (channel + 1) * map.height * map.width
    )
    const cell = (x: number, y: number) => {
      const value = plane[y * map.width + x]!
      return isMean ? value : (Math.max(0, value) + epsilon) ** power
    }
    for (let row = 0; row < grid; row++) {
      for (let column = 0; column < grid; column++) {
        let sum = 0
        for (let i = 0; i < perCell ** 2; i++) {
          const across = (column + ((i % perCell) + 0.5) / perCell) / grid
          const down = (row + (Math.floor(i / perCell) + 0.5) / perCell) / grid
          sum += sample(cell, map, x1 + (x2 - x1) * across, y1 + (y2 - y1) * down)
        }
        const mean = sum / perCell ** 2
        values.push(isMean ? mean : mean ** (1 / power))
      }
    }
  }
  // An even map may have no values at all; its section then stays zero.
  const length = Math.hypot(...values) || 1
  return values.map((value) => (value * (map.weight ?? 1)) / length)
}

/** Bilinear; 0 beyond a cell outside the map. */
function sample(
  cell: (x: number, y: number) => number,
  { width, height }: FeatureMap,
  x: number,
  y: number
): number {
  if (x < -1 || x > width || y < -1 || y > height) return 0
  const cx = Math.min(width - 1, Math.max(0, x))
  const cy = Math.min(height - 1, Math.max(0, y))
  const [x0, y0] = [Math.floor(cx), Math.floor(cy)]
  const [x1, y1] = [Math.min(width - 1, x0 + 1), Math.min(height - 1, y0 + 1)]
  const [fx, fy] = [cx - x0, cy - y0]
  return (
    (cell(x0, y0) * (1 - fx) + cell(x1, y0) * fx) * (1 - fy) +
    (cell(x0, y1) * (1 - fx) + cell(x1, y1) * fx) * fy
  )
}
