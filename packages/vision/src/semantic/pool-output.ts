// From an embedder's output to a vector of unit length for each picture.
import { appError } from '@likeness/shared/errors'
import type { TokenForm } from './semantic-model.ts'

export interface EmbedderOutput {
  values: Float32Array
  /** [pictures, n, ...places], or [pictures, tokens, n] where `tokens` is given. */
  dims: readonly number[]
  tokens?: TokenForm | undefined
  /** For messages. */
  file: string
}

/** A vector for each picture; zeros where the output is zero. Throws `invalid_request` for NaN. */
export function unitVectors({ values, dims, tokens, file }: EmbedderOutput): Float32Array[] {
  const length = values.length / dims[0]!
  return Array.from({ length: dims[0]! }, (_, i) => {
    const own = values.subarray(i * length, (i + 1) * length)
    return toUnit(
      tokens === undefined ? meanOfPlaces(own, dims) : ofTokens(own, dims, tokens),
      file
    )
  })
}

function meanOfPlaces(own: Float32Array, [, dim]: readonly number[]): Float32Array {
  const places = own.length / dim!
  return Float32Array.from({ length: dim! }, (_, channel) => {
    let sum = 0
    for (let i = 0; i < places; i++) sum += own[channel * places + i]!
    return sum / places
  })
}

function ofTokens(
  own: Float32Array,
  [, count, dim]: readonly number[],
  { pool, before }: TokenForm
): Float32Array {
  const first = own.slice(0, dim!)
  if (pool === 'cls') return first
  const mean = Float32Array.from({ length: dim! }, (_, channel) => {
    let sum = 0
    for (let token = before; token < count!; token++) sum += own[token * dim! + channel]!
    return sum / (count! - before)
  })
  if (pool === 'mean') return mean
  const both = new Float32Array(2 * dim!)
  both.set(unit(first))
  both.set(unit(mean), dim!)
  return both
}

function toUnit(pooled: Float32Array, file: string): Float32Array {
  const norm = Math.hypot(...pooled)
  if (!Number.isFinite(norm))
    throw appError(
      'invalid_request',
      `${file} gives a vector of length ${norm}: it cannot be compared`
    )
  return unit(pooled, norm)
}

/** An even picture may give a zero vector; the part then stays zero. */
const unit = (vector: Float32Array, norm = Math.hypot(...vector)): Float32Array =>
  norm > 0 ? vector.map((value) => value / norm) : vector
