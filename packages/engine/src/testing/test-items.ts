// Items for tests. Their vectors are computed from a seed.
import type { Metadata } from '@likeness/shared/contract/item-list'

export const dim = 16

/** Returns a unit vector that is computed from its seed. */
export function unitVector(seed: number, width: number): Float32Array {
  const vector = new Float32Array(width)
  let state = (seed * 2654435761) >>> 0
  for (let i = 0; i < width; i++) {
    state = (Math.imul(state ^ (state >>> 15), 2246822519) + 374761393) >>> 0
    vector[i] = state / 2 ** 31 - 1
  }
  const norm = Math.hypot(...vector)
  return vector.map((value) => value / norm)
}

/** Has a single parameter, so that `map` can call it. */
export const vectorOf = (seed: number): Float32Array => unitVector(seed, dim)

export interface TestItem {
  id: string
  label?: string
  metadata?: Metadata
  seeds?: number[]
  fails?: string
}

export const itemsFrom = (first: number, count: number): TestItem[] =>
  Array.from({ length: count }, (_, i) => ({
    id: `item-${first + i}`,
    label: `label-${first + i}`,
    seeds: [first + i]
  }))
