// Finds the least effort of a search that reaches a recall, by few measurements.

export interface LeastEffort {
  effort: number
  recall: number
}

/**
 * Returns the smallest effort from `least` on that reaches the requested recall; that recall is
 * measured last. undefined when `most` does not reach it.
 */
export async function leastEffort(
  recallAt: (effort: number) => Promise<number>,
  wanted: number,
  { least = 10, most = 4096 } = {}
): Promise<LeastEffort | undefined> {
  let low = least - 1
  let high = Math.min(most, Math.max(least, 64))
  while ((await recallAt(high)) < wanted) {
    if (high === most) return undefined
    low = high
    high = Math.min(most, high * 2)
  }
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if ((await recallAt(middle)) < wanted) low = middle
    else high = middle
  }
  return { effort: high, recall: await recallAt(high) }
}
