// Items of tests, and vectors that are functions of a seed.
import type { Metadata } from '@likeness/shared/contract/item-list'

export const dim = 16

/** Returns a unit vector that is a function of its seed. */
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

/** Takes a single argument, so that it fits `map`. */
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
