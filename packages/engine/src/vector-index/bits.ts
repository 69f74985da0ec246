// Vectors of hamming collections. Outside the index every bit is a float, 0 or 1. Inside, bit i is
// bit i & 7 of byte i >> 3, and the last byte is padded with zeros.

export const bitsBytes = (dim: number): number => (dim + 7) >> 3

/**
 * Returns [rows, dim] with a 1 where a value is above the threshold. The threshold is checked to be
 * from 0 to below 1, so bits written as 0 and 1 stay the same.
 */
export const toBits = (vectors: Float32Array, threshold: number): Float32Array =>
  vectors.map((value) => (value > threshold ? 1 : 0))

/** Packs [rows, dim] of 0 and 1 to [rows, bitsBytes(dim)]. */
export function packBits(bits: Float32Array, dim: number): Uint8Array {
  const width = bitsBytes(dim)
  const packed = new Uint8Array((bits.length / dim) * width)
  for (let row = 0, at = 0; at < bits.length; row++) {
    for (let i = 0; i < dim; i++, at++)
      if (bits[at] === 1) packed[row * width + (i >> 3)]! |= 1 << (i & 7)
  }
  return packed
}

export function unpackBits(packed: Uint8Array, dim: number): Float32Array {
  const width = bitsBytes(dim)
  const bits = new Float32Array((packed.length / width) * dim)
  for (let row = 0, at = 0; at < bits.length; row++) {
    for (let i = 0; i < dim; i++, at++) bits[at] = (packed[row * width + (i >> 3)]! >> (i & 7)) & 1
  }
  return bits
}
