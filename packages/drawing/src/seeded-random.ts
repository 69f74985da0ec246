// Random choices of a drawing, made from a seed: the same seed gives the same scenes on every
// machine.
import { seededRandom } from '@likeness/shared/data/random'

export interface SeededRandom {
  /** [0, 1) */
  next(): number
  between(low: number, high: number): number
  /** Integer in [0, count). */
  below(count: number): number
  pick<T>(values: readonly T[]): T
  /** Mean 0, deviation 1, cut at +-3: the sum of twelve uniform numbers. */
  normal(): number
  /**
   * Makes a separate generator for a named part, so that parts do not shift each other's numbers.
   */
  fork(name: string): SeededRandom
}

/** FNV-1a of a text, 32 bits. */
export function hashText(text: string): number {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193)
  return hash >>> 0
}

export function createRandom(seed: number): SeededRandom {
  const next = seededRandom(seed)
  const below = (count: number): number => Math.floor(next() * count)
  return {
    next,
    below,
    between: (low, high) => low + (high - low) * next(),
    pick: (values) => values[below(values.length)]!,
    normal: () => {
      let sum = -6
      for (let i = 0; i < 12; i++) sum += next()
      return Math.max(-3, Math.min(3, sum))
    },
    fork: (name) => createRandom(hashText(`${seed}/${name}`))
  }
}

/** Returns a copy in random order. */
export function shuffled<T>(values: readonly T[], random: SeededRandom): T[] {
  const result = [...values]
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    const held = result[i]!
    result[i] = result[j]!
    result[j] = held
  }
  return result
}
