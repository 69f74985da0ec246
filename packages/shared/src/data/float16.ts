// Half precision as Uint16Array, for raw vectors at rest. Rounds to nearest, ties to even.
// Subnormals, infinities and NaN are kept.

const encodeBase = new Uint16Array(512)
const encodeShift = new Uint8Array(512)
const decoded = new Float32Array(65536)
let tablesReady = false

/**
 * Returns the bits of a half without its fraction, and the shift of a float32's fraction, by
 * exponent.
 */
function encodingOf(exponent: number): [base: number, shift: number] {
  if (exponent < -25) return [0, 25]
  if (exponent < -14) return [0, -exponent - 1]
  return exponent <= 15 ? [(exponent + 14) << 10, 13] : [0x7c00, 25]
}

/** Fills the tables, which are indexed by sign and exponent of a float32. */
function fillTables(): void {
  for (let i = 0; i < 256; i++) {
    const exponent = i - 127
    const [base, shift] = encodingOf(exponent)
    encodeBase[i] = base
    encodeBase[i | 256] = base | 0x8000
    encodeShift[i] = encodeShift[i | 256] = shift
  }
  for (let half = 0; half < 65536; half++) decoded[half] = decodeOne(half)
  tablesReady = true
}

function decodeOne(half: number): number {
  const sign = half & 0x8000 ? -1 : 1
  const exponent = (half >> 10) & 31
  const fraction = half & 1023
  if (exponent === 31) return fraction ? NaN : sign * Infinity
  return exponent === 0
    ? sign * fraction * 2 ** -24
    : sign * (1024 + fraction) * 2 ** (exponent - 25)
}

/** Values beyond 65504 become infinity. */
export function toFloat16(values: Float32Array): Uint16Array {
  if (!tablesReady) fillTables()
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
  const out = new Uint16Array(values.length)
  for (let i = 0; i < bits.length; i++) {
    const word = bits[i]!
    const key = word >>> 23
    const shift = encodeShift[key]!
    const mantissa = (word & 0x7fffff) | 0x800000
    if (shift === 25) {
      const isNaN = (key & 255) === 255 && (word & 0x7fffff) !== 0
      out[i] = encodeBase[key]! | (isNaN ? 0x200 : 0)
      continue
    }
    const kept = mantissa >>> shift
    const rest = mantissa & ((1 << shift) - 1)
    const half = 1 << (shift - 1)
    const up = rest > half || (rest === half && (kept & 1) === 1) ? 1 : 0
    // The implicit bit of `kept` adds the last exponent step; a carry out of the mantissa does the
    // same.
    out[i] = encodeBase[key]! + kept + up
  }
  return out
}

export function fromFloat16(halves: Uint16Array): Float32Array {
  if (!tablesReady) fillTables()
  const out = new Float32Array(halves.length)
  for (let i = 0; i < halves.length; i++) out[i] = decoded[halves[i]!]!
  return out
}
