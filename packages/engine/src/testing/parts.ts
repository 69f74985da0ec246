// Vectors that are made of parts, and the definition of their scores, computed in the simplest way.
import type { EmbeddingPart, Weights } from '@likeness/shared/contract/embedding-parts'
import { unitVector } from './test-items.ts'

export const twoParts = [
  { name: 'instance', dim: 10, weight: 1 },
  { name: 'kind', dim: 6, weight: 0.5 }
]

/** Vectors of any length, with parts of any length. One in seven rows has a part that is zero. */
export function rawVector(seed: number, parts: readonly EmbeddingPart[]): Float32Array {
  const blank = seed % 7 === 0 && parts.length > 1 ? seed % parts.length : -1
  return Float32Array.from(
    parts.flatMap(({ dim }, p) =>
      Array.from(unitVector(31 * seed + p, dim), (value) => (p === blank ? 0 : value * (p + 0.3)))
    )
  )
}

/** The definition: the mean of the parts' cosines, by weight. A part that is zero is like nothing. */
export function plainScore(
  a: Float32Array,
  b: Float32Array,
  parts: readonly EmbeddingPart[],
  weights: Weights
): number {
  let [sum, all, first] = [0, 0, 0]
  for (const { name, dim } of parts) {
    let [dot, aa, bb] = [0, 0, 0]
    for (let i = first; i < first + dim; i++) {
      dot += a[i]! * b[i]!
      aa += a[i]! ** 2
      bb += b[i]! ** 2
    }
    if (aa > 0 && bb > 0) sum += (weights[name]! * dot) / Math.sqrt(aa * bb)
    all += weights[name]!
    first += dim
  }
  return sum / all
}
