// Counts a tensor's values by range, picture by picture, without knowing the range before.

export interface ValueHistogram {
  /** Bins over [-reach, reach). */
  counts: Float64Array
  reach: number
  least: number
  most: number
}

const bins = 4096

export const createHistogram = (): ValueHistogram => ({
  counts: new Float64Array(bins),
  reach: 2 ** -8,
  least: Infinity,
  most: -Infinity
})

/** Throws on values that are not finite numbers. */
export function addValues(histogram: ValueHistogram, values: Float32Array): void {
  let [least, most] = [histogram.least, histogram.most]
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!
    if (value < least) least = value
    if (value > most) most = value
  }
  if (!Number.isFinite(least) || !Number.isFinite(most))
    throw new Error('a tensor has values that are not finite')
  while (least < -histogram.reach || most >= histogram.reach) widen(histogram)
  const { counts, reach } = histogram
  const perBin = bins / (2 * reach)
  for (let i = 0; i < values.length; i++) counts[((values[i]! + reach) * perBin) | 0]!++
  histogram.least = least
  histogram.most = most
}

/** Doubles the reach: two bins become one. */
function widen(histogram: ValueHistogram): void {
  const wider = new Float64Array(bins)
  for (let i = 0; i < bins; i++) wider[bins / 4 + (i >> 1)]! += histogram.counts[i]!
  histogram.counts = wider
  histogram.reach *= 2
}
