// Merges the hits of several queries into one list: each item once, best first.
import type { HitAnswer } from '@likeness/shared/contract/http/search'
import { standingOf } from '@likeness/shared/contract/margin'

export interface Grouping {
  by: string
  size: number
}

/** Ranks hits with a rerank score before hits without. */
const rankOf = (hit: HitAnswer): number =>
  hit.rerank_score === undefined ? standingOf(hit) : 2 + hit.rerank_score

/** Returns the value that a hit is grouped by; undefined for a group with this hit alone. */
function groupOf({ label, metadata }: HitAnswer, groupBy: string): string | undefined {
  const value = groupBy === 'label' ? label : metadata[groupBy.slice('metadata.'.length)]
  return value === null || value === undefined ? undefined : JSON.stringify(value)
}

/** Counts the hits of each group. Returns whether there is room for another one. */
function roomInGroups({ by, size }: Grouping): (hit: HitAnswer) => boolean {
  const counts = new Map<string, number>()
  return (hit) => {
    const group = groupOf(hit, by)
    if (group === undefined) return true
    const count = (counts.get(group) ?? 0) + 1
    counts.set(group, count)
    return count <= size
  }
}

/**
 * Returns the best k items, each once with its best rank, and at most `size` per group. Equal items
 * keep their order. Looks only at the best of each list, and stops after k items.
 */
export function mergeHits(
  lists: readonly (readonly HitAnswer[])[],
  k: number,
  group?: Grouping
): HitAnswer[] {
  const heads = new Heads(lists.map((hits) => hits.toSorted((a, b) => rankOf(b) - rankOf(a))))
  const hasRoom = group === undefined ? () => true : roomInGroups(group)
  const seen = new Set<string>()
  const merged: HitAnswer[] = []
  for (let hit = heads.next(); hit !== undefined && merged.length < k; hit = heads.next()) {
    if (seen.has(hit.id)) continue
    seen.add(hit.id)
    if (hasRoom(hit)) merged.push(hit)
  }
  return merged
}

interface Head {
  list: readonly HitAnswer[]
  /** Place of the list among all lists. Decides between equal ranks. */
  place: number
  at: number
  rank: number
}

/** A binary heap over the next hit of each list. */
class Heads {
  private readonly heap: Head[] = []

  constructor(lists: readonly (readonly HitAnswer[])[]) {
    for (const [place, list] of lists.entries()) {
      const [first] = list
      if (first === undefined) continue
      this.heap.push({ list, place, at: 0, rank: rankOf(first) })
      this.rise(this.heap.length - 1)
    }
  }

  /** Removes the best hit of all lists. */
  next(): HitAnswer | undefined {
    const [top] = this.heap
    if (top === undefined) return undefined
    const hit = top.list[top.at]!
    const following = top.list[++top.at]
    if (following === undefined) {
      const last = this.heap.pop()!
      if (last === top) return hit
      this.heap[0] = last
    } else top.rank = rankOf(following)
    this.sink()
    return hit
  }

  private isBefore(a: number, b: number): boolean {
    const [one, other] = [this.heap[a]!, this.heap[b]!]
    return one.rank > other.rank || (one.rank === other.rank && one.place < other.place)
  }

  private swap(a: number, b: number): void {
    const { heap } = this
    ;[heap[a], heap[b]] = [heap[b]!, heap[a]!]
  }

  private rise(at: number): void {
    for (let up = (at - 1) >> 1; at > 0 && this.isBefore(at, up); up = (at - 1) >> 1) {
      this.swap(at, up)
      at = up
    }
  }

  private sink(): void {
    for (let at = 0; ; ) {
      const children = [2 * at + 1, 2 * at + 2].filter((child) => child < this.heap.length)
      const best = children.reduce(
        (found, child) => (this.isBefore(child, found) ? child : found),
        at
      )
      if (best === at) return
      this.swap(at, best)
      at = best
    }
  }
}
