// N rows made block by block from seeds: the same rows on every run, and never all in memory.
import { clusteredVectors } from '../ann/clustered-vectors.ts'

export const rowsPerBlock = 10_000
const seed = 1
/**
 * Distance between the seeds of blocks: each block draws from its own seed and from the seed 500
 * further.
 */
const seedsPerBlock = 1000

export interface Block {
  first: number
  vectors: Float32Array
}

export const blockOf = (block: number, { rows, dim }: { rows: number; dim: number }): Block => {
  const first = block * rowsPerBlock
  return {
    first,
    vectors: clusteredVectors({
      seed,
      stream: (block + 1) * seedsPerBlock,
      count: Math.min(rowsPerBlock, rows - first),
      dim
    })
  }
}

export const queriesOf = ({ count, dim }: { count: number; dim: number }): Float32Array =>
  clusteredVectors({ seed, stream: 1, count, dim })
