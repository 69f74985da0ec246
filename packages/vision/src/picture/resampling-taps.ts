// Source samples and weights for each target sample, when an axis of a picture is resized.
import type { Taps } from '@likeness/faiss'

/**
 * Area average when shrinking, bilinear with half-pixel centres when enlarging; the weights of a
 * target sum to 1.
 */
export function resamplingTaps(targetSize: number, sourceSize: number): Taps {
  const ratio = sourceSize / targetSize
  const first = new Int32Array(targetSize)
  const from = new Int32Array(targetSize + 1)
  const weights: number[] = []
  for (let i = 0; i < targetSize; i++) {
    first[i] =
      ratio > 1
        ? areaWeights(weights, i * ratio, Math.min(sourceSize, (i + 1) * ratio))
        : linearWeights(weights, (i + 0.5) * ratio - 0.5, sourceSize)
    from[i + 1] = weights.length
  }
  return { first, from, weights: Float32Array.from(weights) }
}

function areaWeights(weights: number[], start: number, end: number): number {
  // Products of the ratio may be slightly below a whole sample.
  const first = Math.floor(start + 1e-9)
  const covered = (sample: number) => Math.min(end, sample + 1) - Math.max(start, sample)
  for (let sample = first; sample < end; sample++)
    if (covered(sample) > 1e-9) weights.push(covered(sample) / (end - start))
  return first
}

function linearWeights(weights: number[], position: number, sourceSize: number): number {
  const clamped = Math.min(sourceSize - 1, Math.max(0, position))
  const first = Math.floor(clamped)
  const fraction = clamped - first
  weights.push(1 - fraction)
  if (fraction > 0) weights.push(fraction)
  return first
}
