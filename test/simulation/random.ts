// Everything that is left to chance in a simulation comes from one of these, so that a seed replays bit by bit.
import { seededRandom } from '@likeness/shared/data/random'

export interface Random {
  /** [0, 1) */
  next(): number
  /** An integer in [0, n). */
  below(n: number): number
  /** A number in [low, high). */
  between(low: number, high: number): number
  chance(probability: number): boolean
  pick<T>(items: readonly T[]): T
  bytes(n: number): Uint8Array
}

export function createRandom(seed: number): Random {
  const next = seededRandom(Math.imul(seed + 1, 0x9e3779b1))
  const below = (n: number): number => Math.floor(next() * n)
  return {
    next,
    below,
    between: (low, high) => low + next() * (high - low),
    chance: (probability) => next() < probability,
    pick: (items) => {
      if (items.length === 0) throw new Error('nothing to pick from')
      return items[below(items.length)]!
    },
    bytes: (n) => Uint8Array.from({ length: n }, () => below(256))
  }
}
