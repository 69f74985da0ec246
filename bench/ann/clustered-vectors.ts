// Seeded unit vectors in overlapping clusters. The spread is wide in a few directions and narrow in
// most, like embeddings.
import { seededRandom } from '@likeness/shared/data/random'

const clusters = 200
/** Fraction of a vector that does not come from the cluster. */
const ownShare = 0.7
/** The spread of direction i falls as (1 + i)^-decay. */
const decay = 0.6

/** count x dim; rows and queries of a seed lie in the same clusters. */
export function clusteredVectors(options: {
  seed: number
  stream: number
  count: number
  dim: number
}): Float32Array {
  const { seed, stream, count, dim } = options
  const centres = gaussians(seed, clusters * dim)
  const spread = Float32Array.from({ length: dim }, (_, i) => (1 + i) ** -decay)
  const vectors = gaussians(seed * 1000 + stream, count * dim)
  const pick = seededRandom(seed * 1000 + stream + 500)
  for (let row = 0; row < count; row++) {
    const centre = Math.floor(pick() * clusters) * dim
    const vector = vectors.subarray(row * dim, (row + 1) * dim)
    let squares = 0
    for (let i = 0; i < dim; i++) {
      const value = spread[i]! * (ownShare * vector[i]! + (1 - ownShare) * centres[centre + i]!)
      vector[i] = value
      squares += value * value
    }
    const scale = 1 / Math.sqrt(squares)
    for (let i = 0; i < dim; i++) vector[i]! *= scale
  }
  return vectors
}

function gaussians(seed: number, length: number): Float32Array {
  const random = seededRandom(seed)
  const values = new Float32Array(length)
  for (let i = 0; i < length; i += 2) {
    const radius = Math.sqrt(-2 * Math.log(1 - random()))
    const angle = 2 * Math.PI * random()
    values[i] = radius * Math.cos(angle)
    if (i + 1 < length) values[i + 1] = radius * Math.sin(angle)
  }
  return values
}
