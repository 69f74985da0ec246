// A raw vector seen as the cells of its box: for each place of the grid one descriptor, the channels of all maps one behind the other.
import { linearTransform } from '@likeness/faiss'
import type { ModelManifest } from '../model-manifest.ts'
import { pooling } from '../pooling.ts'
import type { Profile } from '../profile.ts'

export type Projection = Pick<Profile, 'matrix' | 'dIn' | 'dOut'>

export const cellCount = pooling.grid ** 2

/** Of all maps together; 0 where raw vectors are of an ordinary embedder alone, which has no cells. */
export function cellChannels({ maps, semantic }: Pick<ModelManifest, 'maps' | 'semantic'>): number {
  return semantic?.kind === 'semantic' ? 0 : maps.reduce((sum, map) => sum + map.channels, 0)
}

/** A raw vector's part of the maps, which is its first, each map [channels, cells]: as f32 [cells, channels of all maps]. */
export function cellsOf(raw: Float32Array, channels: number): Float32Array {
  const cells = new Float32Array(channels * cellCount)
  // Maps lie one behind the other and each is channel-major, so all of it is.
  for (let channel = 0; channel < channels; channel++) {
    for (let cell = 0; cell < cellCount; cell++) cells[cell * channels + channel] = raw[channel * cellCount + cell]!
  }
  return cells
}

/**
 * What a profile knows of raw vectors, for one cell wherever it lies: f32 [channels, channels], symmetric. Two cells' product
 * through it is the product of their projections, averaged over the places of the grid.
 */
export async function cellMetric({ matrix, dIn, dOut }: Projection, channels: number): Promise<Float32Array> {
  const dims = dOut * cellCount
  const columns = new Float32Array(channels * dims)
  for (let row = 0; row < dOut; row++) {
    for (let channel = 0; channel < channels; channel++) {
      const from = row * dIn + channel * cellCount
      columns.set(matrix.subarray(from, from + cellCount), channel * dims + row * cellCount)
    }
  }
  return linearTransform(columns, { matrix: columns, dIn: dims, dOut: channels })
}

/** All cells of a box have much in common; half of it is taken off. More, and boxes of one colour have nothing left. */
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
