// Reads a raw vector as the cells of its box. Each place of the grid has a descriptor: the channels
// of all maps with the grid, one map after another.
import { linearTransform } from '@likeness/faiss'
import type { ModelManifest } from '../model/model-manifest.ts'
import type { Profile } from '../model/profile.ts'

export type Projection = Pick<Profile, 'matrix' | 'dIn' | 'dOut'>

/**
 * Cells per side. A map that is pooled over the whole box, or by another embedder, has no cells.
 */
export const cellGrid = 3
export const cellCount = cellGrid ** 2

/**
 * Start of the cells of each channel in a raw vector, row by row. Empty where an ordinary embedder
 * alone makes the raw vectors.
 */
export function cellStarts({ maps, semantic }: Pick<ModelManifest, 'maps' | 'semantic'>): number[] {
  if (semantic?.kind === 'semantic') return []
  let next = 0
  return maps.flatMap(({ channels, grid }) => {
    const first = next
    next += channels * grid ** 2
    return grid === cellGrid
      ? Array.from({ length: channels }, (_, channel) => first + channel * cellCount)
      : []
  })
}

/** f32 [cells, channels], a channel for each of `starts`. */
export function cellsOf(raw: Float32Array, starts: readonly number[]): Float32Array {
  const channels = starts.length
  const cells = new Float32Array(channels * cellCount)
  for (let channel = 0; channel < channels; channel++) {
    for (let cell = 0; cell < cellCount; cell++)
      cells[cell * channels + channel] = raw[starts[channel]! + cell]!
  }
  return cells
}

/**
 * Metric of a profile for a cell at any place: f32 [channels, channels], symmetric. The product of
 * two cells through the metric is the product of their projections, averaged over the places of the
 * grid.
 */
export async function cellMetric(
  { matrix, dIn, dOut }: Projection,
  starts: readonly number[]
): Promise<Float32Array> {
  const channels = starts.length
  const dims = dOut * cellCount
  const columns = new Float32Array(channels * dims)
  for (let row = 0; row < dOut; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = row * dIn + starts[channel]!
      columns.set(matrix.subarray(from, from + cellCount), channel * dims + row * cellCount)
    }
  }
  return linearTransform(columns, { matrix: columns, dIn: dims, dOut: channels })
}

/**
 * Fraction of the common part that is removed from the cells of a box. With more, boxes of a single
 * colour would be empty.
 */
const commonShare = 0.5

export function withoutCommon(cells: Float32Array, channels: number): Float32Array {
  const out = cells.slice()
  for (let c = 0; c < channels; c++) {
    let sum = 0
    for (let i = 0; i < cellCount; i++) sum += cells[i * channels + c]!
    for (let i = 0; i < cellCount; i++) out[i * channels + c]! -= (commonShare * sum) / cellCount
  }
  return out
}
