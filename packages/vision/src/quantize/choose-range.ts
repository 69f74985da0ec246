// Chooses the 8-bit scale of a tensor: values outside are cut, values inside are rounded, and the
// range with the least error of both is taken.
import type { ValueHistogram } from './value-histogram.ts'

/** value = scale x (code - zero), code 0..255. */
export interface ByteRange {
  scale: number
  zero: number
}

export interface ChooseRangeOptions {
  /** The tensor is read only as x times sigmoid(x): values far below 0 do not matter. */
  isBeforeSilu?: boolean
}

const steps = 60
/**
 * Fraction of an end that may be cut. Rare large values are the detected things: most of a picture
 * is background.
 */
const mostCut = 0.2

/** Chooses a range. 0 is always exact, because padding is 0. */
export function chooseRange(
  histogram: ValueHistogram,
  { isBeforeSilu = false }: ChooseRangeOptions = {}
): ByteRange {
  const least = Math.min(0, histogram.least)
  const most = Math.max(0, histogram.most)
  if (least === most) return { scale: 1 / 255, zero: 0 }
  const read = isBeforeSilu ? silu : identity
  const parts = (cut: number): number[] =>
    Array.from({ length: steps }, (_, i) => 1 - (i * cut) / steps)
  const low = bestOf(
    parts(isBeforeSilu ? 1 : mostCut).map((part) => least * part),
    (end) => squaredError(histogram, [end, most], read)
  )
  const high = bestOf(
    parts(mostCut).map((part) => most * part),
    (end) => squaredError(histogram, [low, end], read)
  )
  return toRange(low, high)
}

export function toRange(low: number, high: number): ByteRange {
  const scale = Math.fround((high - low) / 255)
  return { scale, zero: Math.min(255, Math.max(0, Math.round(-low / scale))) }
}

function bestOf(candidates: readonly number[], errorOf: (candidate: number) => number): number {
  const errors = candidates.map(errorOf)
  return candidates[errors.indexOf(Math.min(...errors))]!
}

interface Reading {
  of: (value: number) => number
  slope: (value: number) => number
}

const sigmoid = (value: number): number => 1 / (1 + Math.exp(-value))
const identity: Reading = { of: (value) => value, slope: () => 1 }
const silu: Reading = {
  of: (value) => value * sigmoid(value),
  slope: (value) => sigmoid(value) * (1 + value * (1 - sigmoid(value)))
}

function squaredError(
  { counts, reach }: ValueHistogram,
  [low, high]: readonly [number, number],
  { of, slope }: Reading
): number {
  const width = (2 * reach) / counts.length
  const rounding = ((high - low) / 255) ** 2 / 12
  const [atLow, atHigh] = [of(low), of(high)]
  let sum = 0
  for (let i = 0; i < counts.length; i++) {
    const count = counts[i]!
    if (count === 0) continue
    const value = (i + 0.5) * width - reach
    const isClipped = value < low || value > high
    const clippedTo = value < low ? atLow : atHigh
    const lost = isClipped ? (of(value) - clippedTo) ** 2 : rounding * slope(value) ** 2
    sum += count * lost
  }
  return sum
}
