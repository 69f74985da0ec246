// Finds marks that look alike, so that each query has a single right answer: the same drawing
// recoloured or in a family's frame.
import sharp from 'sharp'

const side = 32
const area = side * side
const reach = 2

/**
 * Describes the outlines of a mark: f32 [2 x 32 x 32], unit length, of alpha and darkness, each
 * less its surroundings. undefined when hardly any part of the mark is visible.
 */
export async function lookOf(png: Uint8Array): Promise<Float32Array | undefined> {
  const data = await sharp(png)
    .ensureAlpha()
    .resize(side, side, { fit: 'contain', background: { r: 0, g: 0, b: 0, alpha: 0 } })
    .raw()
    .toBuffer()
  const alpha = new Float32Array(area)
  const dark = new Float32Array(area)
  for (let i = 0; i < area; i++) {
    alpha[i] = data[4 * i + 3]! / 255
    dark[i] =
      alpha[i]! *
      (1 - (0.299 * data[4 * i]! + 0.587 * data[4 * i + 1]! + 0.114 * data[4 * i + 2]!) / 255)
  }
  if (alpha.reduce((sum, value) => sum + value, 0) < area / 100) return undefined
  return toUnitLength(Float32Array.from([...lessSurroundings(alpha), ...lessSurroundings(dark)]))
}

function lessSurroundings(values: Float32Array): Float32Array {
  const at = (x: number, y: number): number =>
    x < 0 || y < 0 || x >= side || y >= side ? 0 : values[y * side + x]!
  return values.map((value, index) => {
    let sum = 0
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++)
        sum += at((index % side) + dx, Math.floor(index / side) + dy)
    return value - sum / (2 * reach + 1) ** 2
  })
}

function toUnitLength(values: Float32Array): Float32Array {
  const length = Math.sqrt(dot(values, values))
  return length === 0 ? values : values.map((value) => value / length)
}

function dot(a: Float32Array, b: Float32Array): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

/**
 * Similarity from which two marks count as the same. In the set, this value parts families in the
 * same frame (.91 and up) from marks of equal outline.
 */
export const sameLook = 0.9

export const looksLikeOneOf = (look: Float32Array, others: readonly Float32Array[]): boolean =>
  others.some((other) => dot(look, other) >= sameLook)
