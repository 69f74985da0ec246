// Seeded test data: the same vectors on every run.

export type Random = () => number

/** Uniform in [0, 1), mulberry32. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = Math.imul(state ^ (state >>> 15), state | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
  }
}

export function gaussianVectors(seed: number, count: number, dim: number): Float32Array {
  const random = seededRandom(seed)
  const gaussian = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return Float32Array.from({ length: count * dim }, gaussian)
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
