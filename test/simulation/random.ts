// Random numbers for every random choice in a simulation, so that a seed replays bit by bit.
import { seededRandom } from '@likeness/shared/data/random'

export interface Random {
  /** Returns a number in [0, 1). */
  next(): number
  /** Returns an integer in [0, n). */
  below(n: number): number
  /** Returns a number in [low, high). */
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
