// Seeded test data: the same vectors on every run.
import { seededNormal, seededRandom } from '@likeness/shared/data/random'

export function gaussianVectors(seed: number, count: number, dim: number): Float32Array {
  return Float32Array.from({ length: count * dim }, seededNormal(seed))
}

/**
 * Returns small integers: every distance is exact in f32, in any order of summation, and ties are
 * common.
 */
export function integerVectors(seed: number, count: number, dim: number): Float32Array {
  const random = seededRandom(seed)
  return Float32Array.from({ length: count * dim }, () => Math.floor(random() * 9) - 4)
}

export function unitVectors(seed: number, count: number, dim: number): Float32Array {
  const vectors = gaussianVectors(seed, count, dim)
  for (let row = 0; row < count; row++) {
    const vector = vectors.subarray(row * dim, (row + 1) * dim)
    const length = Math.hypot(...vector)
    vector.forEach((value, i) => (vector[i] = value / length))
  }
  return vectors
}

/** Returns a bitmap with about the given share of rows deleted. */
export function seededBitmap(seed: number, rows: number, share: number): Uint8Array {
  const random = seededRandom(seed)
  const bitmap = new Uint8Array(Math.ceil(rows / 8))
  for (let row = 0; row < rows; row++) {
    if (random() < share) bitmap[row >> 3]! |= 1 << (row & 7)
  }
  return bitmap
}

export function isDeleted(bitmap: Uint8Array, row: number): boolean {
  return ((bitmap[row >> 3] ?? 0) & (1 << (row & 7))) !== 0
}
